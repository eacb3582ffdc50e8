import type { TableReader } from "./network-config-table.ts";
import {
  checkBondMode,
  checkDestination,
  checkDomain,
  checkGateway,
  checkHostAddress,
  checkInterfaceName,
  checkIpv6,
  checkMac,
  checkNameServer,
  checkPrefix,
  checkProtocol,
  INTERFACE_NAME,
  isInterfaceName,
  PROTOCOLS,
} from "./network-config-values.ts";
import type { InterfaceConfig, RouteConfig, VirtualLinkConfig } from "./network-types.ts";
import {
  type IpAddress,
  type IpPrefix,
  isInside,
  isLinkLocalV6,
  isLoopback,
} from "./network-values.ts";

const LOOPBACK = "lo";
const INTERFACE_KEYS = ["protocol", "mac", "mtu", "ipv6", "vlan", "bond", "bridge"];
const STATIC_KEYS = ["ip", "gateway", "dns", "search", "route"];
const MTU = { minimum: 68, maximum: 65_535 };
/** The smallest a link with IPv6 may have. Source: RFC 8200, section 5. */
const IPV6_MTU = 1280;
const DEFAULT_MIIMON_MS = 100;

/**
 * Reads `[interface.<name>]` with its `[static.<name>]`; reports every mistake in them.
 *
 * @returns Null for the loopback interface without addresses of its own: it is set up anyway.
 */
export function readInterface(
  name: string,
  section: TableReader,
  fixed: TableReader | undefined,
): InterfaceConfig | null {
  const { mistakes } = section;
  if (!isInterfaceName(name)) {
    mistakes.add(section.path, JSON.stringify(name), INTERFACE_NAME);
  }
  section.allow(INTERFACE_KEYS, (key, value) =>
    typeof value === "object" ? `; a name with a dot is written [interface."${name}.${key}"]` : "",
  );
  const protocol = readProtocol(name, section, fixed);
  const mac = section.text("mac", checkMac) ?? null;
  const virtual = readVirtual(name, section);
  if (mac !== null && virtual !== null) {
    section.refuse(section.at("mac"), mac, "no mac beside vlan, bond or bridge");
  }
  const before = mistakes.count;
  const addresses = fixed === undefined ? [] : readAddresses(name, fixed);
  // Routers cannot be judged by addresses that were not understood.
  const isJudged = mistakes.count === before;
  const routing = fixed === undefined ? NO_ROUTES : readRouting(fixed, { addresses, isJudged });
  const ipv6 = section.text("ipv6", checkIpv6) ?? (protocol === "none" ? "none" : "slaac");
  const mtu = section.integer("mtu", MTU) ?? null;
  const needsV6 = ipv6 === "slaac" || addresses.some(({ family }) => family === 6);
  if (mtu !== null && mtu < IPV6_MTU && needsV6 && name !== LOOPBACK) {
    const wanted = `an integer from ${IPV6_MTU} to 65535, or ipv6 = "none" and no IPv6 address`;
    section.refuse(section.at("mtu"), mtu, wanted);
  }
  const own = addresses.filter((ip) => name !== LOOPBACK || !isLoopback(ip));
  if (name === LOOPBACK && own.length === 0) return null;
  return {
    name,
    mac,
    protocol,
    addresses: own.map(({ text, prefix }) => ({ address: text, prefix })),
    ...routing,
    dns: { servers: valuesOf(fixed, "dns"), search: domainsOf(fixed) },
    mtu,
    ipv6,
    virtual,
  };
}

const NO_ROUTES = { gateways: [], routes: [] };

function readProtocol(
  name: string,
  section: TableReader,
  fixed: TableReader | undefined,
): InterfaceConfig["protocol"] {
  const protocol = section.text("protocol", checkProtocol);
  const allowed = `one of ${PROTOCOLS.join(", ")}`;
  if (!section.has("protocol")) section.missing("protocol", allowed);
  if (protocol === undefined) return "none";
  const path = section.at("protocol");
  if (name === LOOPBACK && protocol === "dhcp") {
    section.refuse(path, protocol, "one of none, static for the loopback interface");
  }
  if (protocol === "static" && fixed?.has("ip") !== true) {
    section.mistakes.add(
      fixed?.at("ip") ?? path,
      '"static" without addresses',
      `ip = "ADDRESS/PREFIX" in a section [static.${name}]`,
    );
  }
  if (protocol !== "static" && fixed !== undefined) {
    section.mistakes.add(
      fixed.path,
      `a section beside protocol = "${protocol}"`,
      `protocol = "static" in [interface.${name}]`,
    );
  }
  return protocol;
}

function readVirtual(name: string, section: TableReader): VirtualLinkConfig | null {
  const kinds = (["vlan", "bond", "bridge"] as const).filter((kind) => section.has(kind));
  const [kind, second] = kinds;
  if (kind === undefined) return null;
  if (second !== undefined) {
    section.mistakes.add(section.at(second), `${second} beside ${kind}`, "only one of both");
  }
  const table = section.table(kind);
  if (table === undefined) return null;
  if (name === LOOPBACK) section.mistakes.add(table.path, kind, `no ${kind} for the loopback`);
  if (kind === "vlan") return readVlan(table);
  return kind === "bond" ? readBond(table) : readBridge(table);
}

function readVlan(table: TableReader): VirtualLinkConfig | null {
  table.allow(["link", "id"]);
  const link = table.text("link", checkInterfaceName);
  const id = table.integer("id", { minimum: 1, maximum: 4094 });
  if (!table.has("link")) table.missing("link", INTERFACE_NAME);
  if (!table.has("id")) table.missing("id", "an integer from 1 to 4094");
  return link === undefined || id === undefined ? null : { kind: "vlan", link, id };
}

function readBond(table: TableReader): VirtualLinkConfig {
  table.allow(["mode", "members", "miimon"]);
  const members = table.texts("members", checkInterfaceName).map(({ value }) => value);
  const miimonMs = table.integer("miimon", { minimum: 0, maximum: 60_000 }) ?? DEFAULT_MIIMON_MS;
  const mode = table.text("mode", checkBondMode) ?? "active-backup";
  // Broken members have been reported; none at all has not.
  if (!table.has("members") || table.hasEmptyList("members")) {
    const wanted = "an array of names of interfaces, at least one";
    table.mistakes.add(table.at("members"), "nothing", wanted);
  }
  return { kind: "bond", mode, members, miimonMs };
}

function readBridge(table: TableReader): VirtualLinkConfig {
  table.allow(["members", "stp"]);
  const members = table.texts("members", checkInterfaceName).map(({ value }) => value);
  return { kind: "bridge", members, stp: table.boolean("stp", false) };
}

function readAddresses(name: string, fixed: TableReader): IpPrefix[] {
  fixed.allow(STATIC_KEYS);
  const found = fixed.texts("ip", name === LOOPBACK ? checkPrefix : checkHostAddress);
  if (fixed.hasEmptyList("ip")) fixed.mistakes.add(fixed.at("ip"), "[]", "at least one address");
  for (const [at, { path, value }] of found.entries()) {
    const isTwice = found.slice(0, at).some((other) => other.value.text === value.text);
    if (isTwice) fixed.refuse(path, value.text, "each address once");
  }
  return found.map(({ value }) => value);
}

function readRouting(
  fixed: TableReader,
  { addresses, isJudged }: { addresses: readonly IpPrefix[]; isJudged: boolean },
): { gateways: string[]; routes: RouteConfig[] } {
  const tables = fixed.tables("route", `[[${fixed.path.join(".")}.route]]`);
  const routes = tables.flatMap((table) => readRoute(table) ?? []);
  const onLink = routes.flatMap(({ to, via }) => (via === null && to !== "default" ? [to] : []));
  // What a router is reached over: the networks of the interface, and routes without a router.
  const near = [...addresses, ...onLink.filter(({ prefix }) => prefix > 0)];
  const judge = (table: TableReader, path: TableReader["path"], via: IpAddress): void => {
    if (isJudged) checkNear(table, { path, via, near, addresses });
  };
  for (const { table, via } of routes) {
    if (via !== null) judge(table, table.at("via"), via);
  }
  // 0-core has an empty string where there is no gateway.
  const given = fixed.hasEmptyText("gateway") ? [] : fixed.texts("gateway", checkGateway);
  for (const [at, { path, value }] of given.entries()) {
    const isSecond = given.slice(0, at).some((other) => other.value.family === value.family);
    if (isSecond) {
      fixed.refuse(path, value.text, `at most one gateway of IPv${value.family}`);
    } else {
      judge(fixed, path, value);
    }
  }
  const gateways = given.map(({ value }) => value);
  reportDoubles(routes, gateways);
  return { gateways: gateways.map(({ text }) => text), routes: routes.map(toRoute) };
}

interface ReadRoute {
  readonly table: TableReader;
  readonly to: IpPrefix | "default";
  readonly via: IpAddress | null;
  readonly metric: number | null;
}

function readRoute(table: TableReader): ReadRoute | undefined {
  table.allow(["to", "via", "metric"]);
  const to = table.text("to", checkDestination);
  const via = table.text("via", checkGateway) ?? null;
  const metric = table.integer("metric", { minimum: 1, maximum: 4_294_967_294 }) ?? null;
  if (!table.has("to")) table.missing("to", 'NETWORK/PREFIX or "default"');
  if (to === undefined || (table.has("via") && via === null)) return undefined;
  if (to === "default" && via === null) {
    table.missing("via", 'a router, or to = "0.0.0.0/0" or "::/0" for a default route without one');
    return undefined;
  }
  if (to !== "default" && via !== null && via.family !== to.family) {
    table.refuse(table.at("via"), via.text, `an address of IPv${to.family} like that in to`);
    return undefined;
  }
  return { table, to, via, metric };
}

function checkNear(
  table: TableReader,
  router: {
    readonly path: TableReader["path"];
    readonly via: IpAddress;
    readonly near: readonly IpPrefix[];
    readonly addresses: readonly IpPrefix[];
  },
): void {
  const { path, via, near, addresses } = router;
  if (addresses.some(({ text }) => text === via.text)) {
    table.refuse(path, via.text, "another machine", "the address of this machine");
    return;
  }
  if (isLinkLocalV6(via) || near.some((network) => isInside(via, network))) return;
  const networks = near.filter(({ family }) => family === via.family);
  const listed = networks.map(({ text, prefix }) => `${text}/${prefix}`).join(", ");
  const wanted = `an address inside ${listed === "" ? `a network of IPv${via.family} of the interface` : listed}`;
  table.refuse(path, via.text, wanted);
}

/** The kernel holds one route to a destination with a metric. */
function reportDoubles(routes: readonly ReadRoute[], gateways: readonly IpAddress[]): void {
  const seen = new Set(gateways.map(({ family }) => `${DEFAULTS[family]} null`));
  for (const route of routes) {
    const { destination, metric } = toRoute(route);
    const key = `${destination} ${metric}`;
    if (seen.has(key)) {
      const wanted = `one route to ${destination} for each metric, the gateway included`;
      route.table.refuse(route.table.at("to"), destination, wanted);
    }
    seen.add(key);
  }
}

const DEFAULTS = { 4: "0.0.0.0/0", 6: "::/0" } as const;

function toRoute({ to, via, metric }: ReadRoute): RouteConfig {
  const destination = to === "default" ? DEFAULTS[via?.family ?? 4] : `${to.text}/${to.prefix}`;
  return { destination, gateway: via?.text ?? null, metric };
}

function valuesOf(fixed: TableReader | undefined, key: string): string[] {
  return fixed?.texts(key, checkNameServer).map(({ value }) => value) ?? [];
}

function domainsOf(fixed: TableReader | undefined): string[] {
  return fixed?.texts("search", checkDomain).map(({ value }) => value) ?? [];
}
