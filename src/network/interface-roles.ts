import type { InterfaceConfig, NetworkConfig } from "../config/network-types.ts";
import { interfaceNames } from "./build-desired.ts";
import type { InterfaceView, NetworkView } from "./network-view.ts";
import type { InterfaceStatus } from "./status.ts";

/** What the agent does with one interface. */
export interface InterfaceRole {
  readonly view: InterfaceView;
  readonly protocol: InterfaceStatus["protocol"];
  /** Its section of net.toml. */
  readonly section: InterfaceConfig | null;
  /** net.toml wants DHCP here: it belongs to the first method. */
  readonly wantsDhcp: boolean;
  /** The second and third method may use it. */
  readonly isCandidate: boolean;
}

export interface InterfaceRoles {
  /** By index, like the view. */
  readonly roles: readonly InterfaceRole[];
  /** Names of sections whose interface is not there. */
  readonly missing: readonly string[];
}

/**
 * Sorts the interfaces there are by what net.toml and `noautonic=` say of them. Interfaces inside a
 * bond or bridge carry no addresses of their own, so no method uses them.
 *
 * @param view A full one where net.toml names interfaces.
 */
export function interfaceRoles(
  view: NetworkView,
  config: NetworkConfig,
  noAutoNic: readonly string[],
): InterfaceRoles {
  const names = interfaceNames(config, view.state?.links ?? []);
  const sections = new Map<string, InterfaceConfig>();
  const missing: string[] = [];
  for (const section of config.interfaces) {
    const name = names.get(section.name);
    // The loopback interface is no way to anywhere; its section is only set up.
    if (section.name === "lo") continue;
    if (name === undefined) missing.push(section.name);
    else sections.set(name, section);
  }
  const members = memberNames(config, names);
  const roles = view.interfaces.map((one): InterfaceRole => {
    const section = sections.get(one.name) ?? null;
    const isFree = one.master === null && !members.has(one.name);
    const protocol = protocolOf(one, section, noAutoNic);
    const isUsed = isFree && protocol !== "none" && protocol !== "left alone";
    const wantsDhcp = isUsed && (protocol === "dhcp" || (protocol === "auto" && config.auto));
    return { view: one, section, protocol, wantsDhcp, isCandidate: isUsed };
  });
  return { roles, missing };
}

/** True when the first method has something to do at all. */
export function hasInterfaceConfig(config: NetworkConfig): boolean {
  return config.auto || config.interfaces.length > 0;
}

/** Links inside a bond or bridge of net.toml. */
function memberNames(config: NetworkConfig, names: ReadonlyMap<string, string>): Set<string> {
  const named = config.interfaces.flatMap(({ virtual }) =>
    virtual === null || virtual.kind === "vlan" ? [] : virtual.members,
  );
  return new Set(named.map((name) => names.get(name) ?? name));
}

function protocolOf(
  one: InterfaceView,
  section: InterfaceConfig | null,
  noAutoNic: readonly string[],
): InterfaceStatus["protocol"] {
  if (noAutoNic.includes(one.name)) return "left alone";
  if (section !== null) return section.protocol;
  return one.isPhysical ? "auto" : "left alone";
}
