import type { Mistakes } from "./network-config-table.ts";
import type { InterfaceConfig } from "./network-types.ts";
import { isLinkLocalV6, readIp } from "./network-values.ts";
import type { TomlPath } from "./toml-lines.ts";

/** Reports what is wrong between sections, each of which is right for itself. */
export function checkTogether(interfaces: readonly InterfaceConfig[], mistakes: Mistakes): void {
  checkMacs(interfaces, mistakes);
  checkAddresses(interfaces, mistakes);
  checkMembers(interfaces, mistakes);
  checkVlans(interfaces, mistakes);
  checkCycles(interfaces, mistakes);
}

const at = ({ name }: InterfaceConfig, ...keys: TomlPath): TomlPath => ["interface", name, ...keys];

function checkMacs(interfaces: readonly InterfaceConfig[], mistakes: Mistakes): void {
  const owners = new Map<string, string>();
  for (const one of interfaces) {
    if (one.mac === null) continue;
    const owner = owners.get(one.mac);
    if (owner !== undefined) {
      const wanted = `an address that no other section has, [interface.${owner}] has it`;
      mistakes.add(at(one, "mac"), `"${one.mac}"`, wanted);
    }
    owners.set(one.mac, one.name);
  }
}

function checkAddresses(interfaces: readonly InterfaceConfig[], mistakes: Mistakes): void {
  const owners = new Map<string, string>();
  for (const one of interfaces) {
    for (const [item, { address }] of one.addresses.entries()) {
      const ip = readIp(address);
      if (ip === undefined || isLinkLocalV6(ip)) continue;
      const owner = owners.get(address);
      if (owner !== undefined && owner !== one.name) {
        const wanted = `an address that no other section has, [static.${owner}] has it`;
        mistakes.add(["static", one.name, "ip", item], `"${address}"`, wanted);
      }
      owners.set(address, one.name);
    }
  }
}

/** The links inside bonds and bridges. */
function checkMembers(interfaces: readonly InterfaceConfig[], mistakes: Mistakes): void {
  const sections = new Map(interfaces.map((one) => [one.name, one]));
  const masters = new Map<string, string>();
  for (const master of interfaces) {
    const { virtual } = master;
    if (virtual === null || virtual.kind === "vlan") continue;
    for (const [item, member] of virtual.members.entries()) {
      const refuse = (wanted: string): void =>
        mistakes.add(at(master, virtual.kind, "members", item), `"${member}"`, wanted);
      const other = masters.get(member);
      masters.set(member, master.name);
      if (member === master.name) refuse(`another interface than the ${virtual.kind} itself`);
      else if (other === master.name) refuse("each member once");
      else if (other !== undefined) refuse(`an interface that is not a member of ${other}`);
      else if (member === "lo") refuse("another interface than the loopback");
      else checkMember(virtual.kind, sections.get(member), refuse);
    }
  }
}

function checkMember(
  kind: "bond" | "bridge",
  section: InterfaceConfig | undefined,
  refuse: (wanted: string) => void,
): void {
  if (section === undefined) return;
  if (section.protocol !== "none") {
    refuse(`an interface with protocol = "none": its ${kind} has the addresses`);
  }
  const inner = section.virtual?.kind;
  if (inner === "bridge" || (inner === "bond" && kind === "bond")) {
    refuse(`an interface that can be in a ${kind}, which a ${inner} cannot`);
  }
  if (kind === "bond" && section.mac !== null) {
    // All members take over one hardware address, after which the others would not be found again.
    refuse("an interface that is told by its name, because a bond changes hardware addresses");
  }
}

function checkVlans(interfaces: readonly InterfaceConfig[], mistakes: Mistakes): void {
  const owners = new Map<string, string>();
  for (const one of interfaces) {
    const { virtual } = one;
    if (virtual?.kind !== "vlan") continue;
    if (virtual.link === "lo") {
      mistakes.add(at(one, "vlan", "link"), '"lo"', "another interface than the loopback");
    }
    const key = `${virtual.link} ${virtual.id}`;
    const owner = owners.get(key);
    if (owner !== undefined) {
      const wanted = `an id that is free on ${virtual.link}, [interface.${owner}] has it`;
      mistakes.add(at(one, "vlan", "id"), String(virtual.id), wanted);
    }
    owners.set(key, one.name);
  }
}

/** No link may rest on itself, neither as the link of a VLAN nor as a member. */
function checkCycles(interfaces: readonly InterfaceConfig[], mistakes: Mistakes): void {
  const below = new Map(interfaces.map((one) => [one.name, basisOf(one)]));
  const reported = new Set<string>();
  for (const one of interfaces) {
    const cycle = findCycle(one.name, below);
    if (cycle === undefined || cycle.some((name) => reported.has(name))) continue;
    for (const name of cycle) reported.add(name);
    // A bond or bridge that names itself has been reported with its members.
    if (cycle.length === 1 && one.virtual?.kind !== "vlan") continue;
    const key = one.virtual?.kind === "vlan" ? "link" : "members";
    const path = at(one, one.virtual?.kind ?? "", key);
    mistakes.add(
      path,
      [...cycle, one.name].join(" on "),
      "an interface that does not rest on itself",
    );
  }
}

function basisOf({ virtual }: InterfaceConfig): readonly string[] {
  if (virtual === null) return [];
  return virtual.kind === "vlan" ? [virtual.link] : virtual.members;
}

/** The way from a name back to itself; undefined where there is none. */
function findCycle(
  start: string,
  below: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const visited = new Set<string>();
  const ways: string[][] = [[start]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const next of below.get(way.at(-1) ?? "") ?? []) {
      if (next === start) return way;
      if (visited.has(next)) continue;
      visited.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
