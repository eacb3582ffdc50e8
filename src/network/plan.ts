import { readIp, readPrefix } from "../config/network-values.ts";
import { type NetworkChange, type NetworkState, NODE0_PROTOCOL } from "../sys/network-state.ts";
import type { DesiredNetwork } from "./desired.ts";
import { planLinks } from "./plan-links.ts";
import { planRoutes } from "./plan-routes.ts";

/** What the agent made and takes away again, beside addresses and routes that carry its mark. */
export interface OwnedNetwork {
  readonly links: readonly OwnedLink[];
  /** Of DHCP: the hook of the client cannot mark them. */
  readonly addresses: readonly OwnedAddress[];
}

export interface OwnedLink {
  readonly name: string;
  /** Tells it from a link that somebody made later under the same name; null: not known yet. */
  readonly index: number | null;
}

export interface OwnedAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
}

/**
 * The changes that lead from what the kernel shows to what is desired, in the order they are made.
 * Nothing for what is right already, and only what the agent owns is taken away.
 *
 * A link that is to be made comes alone: what belongs on it is planned when it is there. So a plan is
 * carried out, the kernel looked at again, and the next plan made, until it is empty.
 */
export function planNetwork(
  desired: DesiredNetwork,
  state: NetworkState,
  owned: OwnedNetwork,
): NetworkChange[] {
  const links = planLinks(desired.links, state.links, owned.links);
  const names = (op: string): string[] =>
    links.flatMap((change) => (change.op === op ? [change.name] : []));
  const gone = withChildren(names("link.delete"), state);
  // Made by this plan, or in the way of that: not the link that things belong on.
  const strange = new Set([...gone, ...names("link.add")]);
  const left: NetworkState = {
    links: state.links.filter(({ name }) => !strange.has(name)),
    addresses: state.addresses.filter((one) => !gone.has(one.interface)),
    routes: state.routes.filter((one) => !gone.has(one.interface)),
  };
  const up = new Set(
    links.flatMap((change) =>
      change.op === "link.set" && change.isUp === true ? [change.name] : [],
    ),
  );
  const ready = left.links.filter(({ name, isUp }) => isUp || up.has(name));
  const routes = planRoutes(desired.routes, left.routes, new Set(ready.map(({ name }) => name)));
  const addresses = planAddresses(desired, left, owned.addresses);
  return [
    ...links,
    ...routes.filter(({ op }) => op === "route.remove"),
    ...addresses,
    ...routes.filter(({ op }) => op !== "route.remove"),
  ];
}

/** Links that are deleted, and those that go with them. */
function withChildren(names: readonly string[], state: NetworkState): ReadonlySet<string> {
  const all = new Set(names);
  // A set that grows while it is walked through is walked through to its end.
  for (const name of all) {
    for (const link of state.links) if (link.parent === name) all.add(link.name);
  }
  return all;
}

/** Unique text of an address on an interface. */
export function addressKey(one: OwnedAddress): string {
  return `${one.interface} ${readIp(one.address)?.text ?? one.address}/${one.prefix}`;
}

function planAddresses(
  desired: DesiredNetwork,
  state: NetworkState,
  owned: readonly OwnedAddress[],
): NetworkChange[] {
  const there = new Map(state.addresses.map((one) => [addressKey(one), one]));
  const wanted = new Map(desired.addresses.map((one) => [addressKey(one), one]));
  const remembered = new Set(owned.map(addressKey));
  const removals = state.addresses.flatMap((one): NetworkChange[] => {
    const wish = wanted.get(addressKey(one));
    const isOwn = one.protocol === NODE0_PROTOCOL || remembered.has(addressKey(one));
    // An address that shall stay must not run out with a lease of the past.
    const isExpiring =
      wish !== undefined && wish.validSeconds === null && one.validSeconds !== null;
    if (wish === undefined ? !isOwn : !isExpiring) return [];
    const { address, prefix } = one;
    return [{ op: "address.remove", interface: one.interface, address, prefix }];
  });
  const removed = new Set(
    removals.flatMap((change) => (change.op === "address.remove" ? [addressKey(change)] : [])),
  );
  const names = new Set(state.links.map(({ name }) => name));
  const additions = [...wanted].flatMap(([key, one]): NetworkChange[] => {
    if (!names.has(one.interface) || (there.has(key) && !removed.has(key))) return [];
    const text = readPrefix(`${one.address}/${one.prefix}`)?.text ?? one.address;
    const change = {
      op: "address.add",
      interface: one.interface,
      address: text,
      prefix: one.prefix,
      protocol: NODE0_PROTOCOL,
    } as const;
    return [one.validSeconds === null ? change : { ...change, validSeconds: one.validSeconds }];
  });
  return [...removals, ...additions];
}
