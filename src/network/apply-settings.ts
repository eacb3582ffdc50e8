import { errorText } from "../base/errors.ts";
import type { Files } from "../sys/files.ts";
import type { NetworkChange, NetworkState } from "../sys/network-state.ts";
import type { DesiredNetwork } from "./desired.ts";

/**
 * Settings of interfaces that are files of /proc/sys, written where they differ and before the plan is
 * carried out: an interface asks for router advertisements when it is set up.
 *
 * A kernel without IPv6 has no such files, and nothing to accept.
 */
export function applySettings({
  files,
  desired,
  state,
  plan,
}: {
  readonly files: Files;
  readonly desired: DesiredNetwork;
  readonly state: NetworkState;
  readonly plan: readonly NetworkChange[];
}): { readonly changes: number; readonly problems: readonly string[] } {
  const there = new Set(state.links.map(({ name }) => name));
  const wanted: Setting[] = desired.links.flatMap(({ name, acceptsAdvertisements }) =>
    acceptsAdvertisements === undefined || !there.has(name)
      ? []
      : advertisements(name, acceptsAdvertisements),
  );
  const losing = new Set(
    plan.flatMap((change) =>
      change.op === "address.remove" && !change.address.includes(":") ? [change.interface] : [],
    ),
  );
  // Taking away the first address of a network must not take the others of that network with it.
  for (const name of losing) {
    const path = `/proc/sys/net/ipv4/conf/${name}/promote_secondaries`;
    wanted.push({ interface: name, path, value: "1", what: "keep its other addresses" });
  }
  let changes = 0;
  const problems: string[] = [];
  for (const { path, value, what, interface: name } of wanted) {
    const before = files.readText(path)?.trim();
    if (before === undefined || before === value) continue;
    try {
      files.writeText(path, value);
      changes += 1;
    } catch (error) {
      problems.push(`${name}: cannot ${what}: ${errorText(error)}`);
    }
  }
  return { changes, problems };
}

interface Setting {
  readonly interface: string;
  readonly path: string;
  readonly value: string;
  readonly what: string;
}

/** 2: also where packets are forwarded, as they are for containers. Source: ip-sysctl, accept_ra. */
function advertisements(name: string, isOn: boolean): Setting[] {
  const folder = `/proc/sys/net/ipv6/conf/${name}`;
  const what = `${isOn ? "accept" : "ignore"} router advertisements`;
  return [
    { interface: name, path: `${folder}/accept_ra`, value: isOn ? "2" : "0", what },
    { interface: name, path: `${folder}/autoconf`, value: isOn ? "1" : "0", what },
  ];
}
