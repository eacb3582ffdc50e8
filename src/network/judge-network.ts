import type { InterfaceRole } from "./interface-roles.ts";
import type { NetworkChoice } from "./network-choice.ts";
import { isConfiguredElsewhere, type NetworkView, usableRoute } from "./network-view.ts";

/** What was there when the network came up. */
export interface NetworkBasis {
  readonly choice: NetworkChoice;
  /** Interface of the best default route; null without one. */
  readonly via: string | null;
}

export type NetworkVerdict =
  | { readonly state: "up" }
  /** No carrier: lost when it stays so. */
  | { readonly state: "dark"; readonly reason: string }
  | { readonly state: "lost"; readonly reason: string };

/** Whether the network still stands on what it came up with, looked at after it was set up as desired. */
export function judgeNetwork(
  { choice, via }: NetworkBasis,
  view: NetworkView,
  roles: readonly InterfaceRole[],
): NetworkVerdict {
  const name = choice.method === "config" ? via : choice.interface;
  if (name === null) return judgeConfigured(roles);
  const one = view.interfaces.find((other) => other.name === name);
  if (one === undefined) return { state: "lost", reason: `${name}: the interface is gone` };
  if (!one.hasCarrier) return { state: "dark", reason: `${name}: no carrier` };
  if (choice.method === "dhcp" && one.lease === undefined && !isConfiguredElsewhere(view, one)) {
    return { state: "lost", reason: `${name}: the DHCP lease has ended` };
  }
  if (choice.method === "fallback") {
    const isThere = one.addresses.some(({ address }) => address === choice.address);
    if (view.state === undefined || isThere) return { state: "up" };
    return { state: "lost", reason: `${name}: the address ${choice.address} is gone` };
  }
  if (via !== null && usableRoute(view) === undefined) {
    return { state: "lost", reason: `${name}: the default route is gone` };
  }
  return { state: "up" };
}

/** A network without default route stands as long as one interface of net.toml has carrier. */
function judgeConfigured(roles: readonly InterfaceRole[]): NetworkVerdict {
  const configured = roles.filter(({ section }) => section !== null);
  if (configured.length === 0 || configured.some(({ view }) => view.hasCarrier)) {
    return { state: "up" };
  }
  const names = configured.map(({ view }) => view.name).join(", ");
  return { state: "dark", reason: `${names}: no carrier` };
}
