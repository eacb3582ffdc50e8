import type { NetworkChange } from "../sys/network-state.ts";

/**
 * What makes a bond of links, in order.
 *
 * A link that is up is refused by a bond, so each goes down first; the bond brings it up again.
 */
export function bondChanges(options: {
  bond: string;
  interfaces: readonly string[];
  mtu: number;
}): NetworkChange[] {
  const { bond, interfaces, mtu } = options;
  return [
    {
      op: "link.add",
      name: bond,
      link: { kind: "bond", mode: "balance-rr", miimonMs: MIIMON_MS },
    },
    { op: "link.set", name: bond, mtu, isUp: true },
    ...interfaces.flatMap((name): NetworkChange[] => [
      { op: "link.set", name, isUp: false },
      { op: "link.set", name, mtu },
      { op: "link.set", name, master: bond },
      { op: "link.set", name, isUp: true },
    ]),
  ];
}

/** Without it the kernel would never notice that a cable is out. */
const MIIMON_MS = 100;
