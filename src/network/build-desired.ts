import type { InterfaceConfig, NetworkConfig } from "../config/network-types.ts";
import type { LinkState, NewLink } from "../sys/network-state.ts";
import { desiredRoutes, leaseRoutes } from "./build-desired-routes.ts";
import type {
  DesiredAddress,
  DesiredDns,
  DesiredLink,
  DesiredNetwork,
  DesiredRoute,
} from "./desired.ts";
import type { Lease } from "./lease.ts";

export interface LeaseInUse {
  readonly lease: Lease;
  /** Of all its routes. */
  readonly metric: number;
}

export interface DesiredNetworkInput {
  readonly config: NetworkConfig;
  readonly links: readonly LinkState[];
  /** Interfaces that are left alone, except where net.toml makes them part of another. */
  readonly noAutoNic: readonly string[];
  /** Whether the agent sets up a link that net.toml does not name, for example because it is hardware. */
  readonly isCandidate: (link: LinkState) => boolean;
  /** By interface: those in use, no others. */
  readonly leases: ReadonlyMap<string, LeaseInUse>;
  /** Address of the third method. */
  readonly fallback: { readonly interface: string; readonly address: string } | null;
}

const FALLBACK_PREFIX = 24;

/**
 * What the network shall be: net.toml, the leases in use and the fallback address as one. Interfaces
 * with protocol none or named by `noautonic=` are not in it, unless another one is made of them.
 *
 * A lease in use takes the place of the static addresses of its interface: it was asked for because
 * they did not lead to a controller. The fallback address comes beside them.
 *
 * Routes of links that are not there yet are missing: their metric depends on the index of the link.
 */
export function buildDesiredNetwork(input: DesiredNetworkInput): DesiredNetwork {
  const { config, links, leases, fallback } = input;
  const names = interfaceNames(config, links);
  const masters = mastersOf(config, names);
  const parents = new Set(
    config.interfaces.flatMap(({ virtual }) =>
      virtual?.kind === "vlan" ? [nameIn(names, virtual.link)] : [],
    ),
  );
  const isLeftAlone = (name: string): boolean => input.noAutoNic.includes(name);
  const desired = new Map<string, DesiredLink>();
  const addresses: DesiredAddress[] = [];
  const routes: DesiredRoute[] = [];

  for (const section of config.interfaces) {
    const name = names.get(section.name);
    if (name === undefined) continue;
    const isPart = masters.has(name) || parents.has(name);
    const isUsed = !isLeftAlone(name) && (section.protocol !== "none" || section.virtual !== null);
    if (!isUsed && !isPart) continue;
    const lease = leases.get(name);
    desired.set(name, {
      name,
      create: newLink(section, names),
      isUp: true,
      mtu: section.mtu ?? lease?.lease.mtu ?? null,
      master: masterOf(name, { links, masters }),
      acceptsAdvertisements: acceptsAdvertisements(section, masters.has(name)),
    });
    if (!isUsed || lease !== undefined) continue;
    addresses.push(
      ...section.addresses.map(({ address, prefix }): DesiredAddress => {
        return { interface: name, address, prefix, origin: "static", validSeconds: null };
      }),
    );
    const link = links.find((one) => one.name === name);
    if (link !== undefined) routes.push(...desiredRoutes(section, link));
  }

  for (const link of links) {
    const { name } = link;
    if (desired.has(name)) continue;
    const isPart = masters.has(name) || parents.has(name);
    const isNamed = [...names.values()].includes(name);
    const isFree = !isNamed && !isLeftAlone(name) && input.isCandidate(link);
    if (!isPart && !isFree && !leases.has(name) && fallback?.interface !== name) continue;
    desired.set(name, {
      name,
      create: null,
      isUp: true,
      mtu: leases.get(name)?.lease.mtu ?? null,
      master: masterOf(name, { links, masters }),
      // A port of a bridge or bond has no addresses of its own.
      acceptsAdvertisements: !masters.has(name) && (isPart ? undefined : true),
    });
  }

  for (const [name, { lease, metric }] of leases) {
    addresses.push({
      interface: name,
      address: lease.address,
      prefix: lease.prefix,
      origin: "dhcp",
      validSeconds: lease.leaseSeconds,
    });
    routes.push(...leaseRoutes(name, lease, metric));
  }
  if (fallback !== null) {
    addresses.push({
      ...fallback,
      prefix: FALLBACK_PREFIX,
      origin: "fallback",
      validSeconds: null,
    });
  }
  return {
    links: [...desired.values()],
    addresses,
    routes,
    dns: buildDns(config, leases),
  };
}

/**
 * Name of the interface each section means. A section without one is not there at the moment; one that
 * the agent makes has its own name. Where two sections mean the same interface, the hardware address
 * counts more than the name.
 */
export function interfaceNames(
  config: NetworkConfig,
  links: readonly LinkState[],
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { name, mac } of config.interfaces) {
    const link = mac === null ? undefined : links.find((one) => one.mac === mac && isCard(one));
    if (link !== undefined) names.set(name, link.name);
  }
  const taken = new Set(names.values());
  for (const { name, mac, virtual } of config.interfaces) {
    const isThere = virtual !== null || links.some((link) => link.name === name);
    if (mac === null && isThere && !taken.has(name)) names.set(name, name);
  }
  return names;
}

/** VLANs, bridges and bonds take over the address of a card. A veth stands for one in a namespace. */
function isCard({ kind, isLoopback }: LinkState): boolean {
  return !isLoopback && (kind === "device" || kind === "veth");
}

/** Members and links of VLANs may be named without a section of their own. */
function nameIn(names: ReadonlyMap<string, string>, sectionOrInterface: string): string {
  return names.get(sectionOrInterface) ?? sectionOrInterface;
}

/** Name of a member to name of its bond or bridge. */
function mastersOf(
  { interfaces }: NetworkConfig,
  names: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map(
    interfaces.flatMap(({ name, virtual }): [string, string][] =>
      virtual === null || virtual.kind === "vlan"
        ? []
        : virtual.members.map((member) => [nameIn(names, member), name]),
    ),
  );
}

/**
 * A link leaves a bond or bridge of net.toml that does not name it any more. Where others put it, it
 * stays.
 */
function masterOf(
  name: string,
  known: { readonly links: readonly LinkState[]; readonly masters: ReadonlyMap<string, string> },
): string | null | undefined {
  const wanted = known.masters.get(name);
  if (wanted !== undefined) return wanted;
  const master = known.links.find((link) => link.name === name)?.master ?? null;
  return master !== null && [...known.masters.values()].includes(master) ? null : undefined;
}

function newLink({ virtual }: InterfaceConfig, names: ReadonlyMap<string, string>): NewLink | null {
  if (virtual === null) return null;
  if (virtual.kind === "bridge") return { kind: "bridge", stp: virtual.stp };
  if (virtual.kind === "bond") {
    return { kind: "bond", mode: virtual.mode, miimonMs: virtual.miimonMs };
  }
  return { kind: "vlan", parent: nameIn(names, virtual.link), vlanId: virtual.id };
}

/** What carries VLANs only is left as it is. */
function acceptsAdvertisements(
  { protocol, ipv6, virtual }: InterfaceConfig,
  isMember: boolean,
): boolean | undefined {
  if (isMember) return false;
  if (protocol === "none" && virtual === null && ipv6 === "none") return undefined;
  return ipv6 === "slaac";
}

/** Those for the whole machine, those of sections, then those of leases, the preferred one first. */
function buildDns(config: NetworkConfig, leases: ReadonlyMap<string, LeaseInUse>): DesiredDns {
  const byMetric = [...leases.values()].sort((one, other) => one.metric - other.metric);
  const sources = [
    config.dns,
    ...config.interfaces.map(({ dns }) => dns),
    ...byMetric.map(({ lease }) => ({ servers: lease.dns, search: lease.search })),
  ];
  return {
    servers: [...new Set(sources.flatMap(({ servers }) => servers))],
    search: [...new Set(sources.flatMap(({ search }) => search))],
  };
}
