import type { Files } from "../sys/files.ts";
import type { NetworkChange, NetworkState } from "../sys/network-state.ts";
import type { DesiredNetwork } from "./desired.ts";
import { addressKey, type OwnedAddress, type OwnedLink, type OwnedNetwork } from "./plan.ts";

const NOTHING: OwnedNetwork = { links: [], addresses: [] };

/**
 * What an earlier agent made in this boot. The file lies in memory like the links themselves: both are
 * gone with the next start of the machine. An unusable file means nothing is owned, so that nothing of
 * others is ever taken away.
 */
export function readOwned(files: Files, path: string): OwnedNetwork {
  try {
    const value: unknown = JSON.parse(files.readText(path) ?? "null");
    if (typeof value !== "object" || value === null) return NOTHING;
    const { links, addresses } = value as Readonly<Record<string, unknown>>;
    const isWhole = isListOf(links, isOwnedLink) && isListOf(addresses, isOwnedAddress);
    return isWhole ? { links, addresses } : NOTHING;
  } catch {
    return NOTHING;
  }
}

/** Writes the file where its content changes. @throws the system error. */
export function writeOwned(files: Files, path: string, owned: OwnedNetwork): void {
  const text = `${JSON.stringify(owned)}\n`;
  const isNothing = owned.links.length === 0 && owned.addresses.length === 0;
  const before = files.readText(path);
  if (text === before || (isNothing && before === undefined)) return;
  files.ensureDirectory(path.slice(0, path.lastIndexOf("/")), 0o755);
  files.replaceText(path, text);
}

/**
 * What is owned once a plan is carried out. Links are written down before they are made, without
 * index: an agent that dies in between would not know them again.
 */
export function ownedAfterLook(
  owned: OwnedNetwork,
  look: {
    readonly desired: DesiredNetwork;
    readonly state: NetworkState;
    readonly plan: readonly NetworkChange[];
  },
): OwnedNetwork {
  const { desired, state, plan } = look;
  const indexes = new Map(state.links.map(({ name, index }) => [name, index]));
  const deleted = new Set(plan.flatMap((one) => (one.op === "link.delete" ? [one.name] : [])));
  // A link of somebody else stands in the way of one that is to be made.
  const made = plan.flatMap((one) =>
    one.op === "link.add" && (!indexes.has(one.name) || deleted.has(one.name)) ? [one.name] : [],
  );
  const kept = owned.links.flatMap(({ name, index }): OwnedLink[] => {
    const seen = indexes.get(name);
    const isSame = seen !== undefined && (index === null || index === seen);
    return isSame && !made.includes(name) ? [{ name, index: seen }] : [];
  });
  const there = new Set(state.addresses.map(addressKey));
  const addresses = new Map<string, OwnedAddress>();
  for (const one of [...owned.addresses, ...desired.addresses]) {
    if ("origin" in one ? one.origin !== "dhcp" : !there.has(addressKey(one))) continue;
    const { interface: name, address, prefix } = one;
    addresses.set(addressKey(one), { interface: name, address, prefix });
  }
  return {
    links: [...kept, ...made.map((name) => ({ name, index: null }))],
    addresses: [...addresses.values()],
  };
}

function isListOf<T>(list: unknown, isItem: (item: unknown) => item is T): list is T[] {
  return Array.isArray(list) && list.every(isItem);
}

function isOwnedLink(value: unknown): value is OwnedLink {
  const { name, index } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof name === "string" && (index === null || typeof index === "number");
}

function isOwnedAddress(value: unknown): value is OwnedAddress {
  const { interface: name, address, prefix } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof name === "string" && typeof address === "string" && typeof prefix === "number";
}
