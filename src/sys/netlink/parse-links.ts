import type { BondMode, LinkState } from "../network-state.ts";
import {
  type Attributes,
  parseAttributes,
  readText,
  readU8,
  readU16,
  readU32,
} from "./attributes.ts";
import { fixedPart, type NetlinkMessage } from "./message.ts";
import { IFF_LOOPBACK, IFF_LOWER_UP, IFF_UP, LINK_BYTES, RTM_NEWLINK } from "./rtnetlink.ts";

/**
 * The links of a dump, by index.
 *
 * Body of RTM_NEWLINK: family u8, padding u8, type u16, index i32, flags u32, change u32, attributes.
 */
export function parseLinks(messages: readonly NetlinkMessage[]): LinkState[] {
  const raw = messages.filter(({ type }) => type === RTM_NEWLINK).map(parseLink);
  const names = new Map(raw.map(({ index, name }) => [index, name]));
  return raw.sort((one, other) => one.index - other.index).map((link) => toState(link, names));
}

/** Index and name alone; the name is empty where the message has none. */
export function parseLinkName({ body }: NetlinkMessage): { index: number; name: string } {
  const index = fixedPart(body, LINK_BYTES).readInt32LE(4);
  return { index, name: readText(parseAttributes(body, LINK_BYTES), IFLA_IFNAME) ?? "" };
}

interface RawLink {
  readonly index: number;
  readonly flags: number;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Attributes;
  /** Members only this kind of link has. */
  readonly data: Attributes;
}

function parseLink({ body }: NetlinkMessage): RawLink {
  const head = fixedPart(body, LINK_BYTES);
  const attributes = parseAttributes(body, LINK_BYTES);
  const info = nested(attributes, IFLA_LINKINFO);
  const kind = readText(info, IFLA_INFO_KIND);
  return {
    index: head.readInt32LE(4),
    flags: head.readUInt32LE(8),
    name: readText(attributes, IFLA_IFNAME) ?? "",
    kind: kind === undefined || kind === "" ? "device" : kind,
    attributes,
    data: KINDS_WITH_DATA.includes(kind ?? "") ? nested(info, IFLA_INFO_DATA) : new Map(),
  };
}

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;
const IFLA_BOND_MODE = 1;
const KINDS_WITH_DATA: readonly string[] = ["vlan", "bond"];

/** By number. Source: <linux/if_bonding.h>. */
export const BOND_MODES: readonly BondMode[] = [
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "802.3ad",
  "balance-tlb",
  "balance-alb",
];

function toState(link: RawLink, names: ReadonlyMap<number, string>): LinkState {
  const { index, flags, name, kind, attributes, data } = link;
  const isUp = (flags & IFF_UP) !== 0;
  const mode = kind === "bond" ? readU8(data, IFLA_BOND_MODE) : undefined;
  return {
    name,
    index,
    kind,
    mac: formatMac(attributes.get(IFLA_ADDRESS)),
    mtu: readU32(attributes, IFLA_MTU) ?? 0,
    isUp,
    hasCarrier: isUp && (flags & IFF_LOWER_UP) !== 0,
    isLoopback: (flags & IFF_LOOPBACK) !== 0,
    master: names.get(readU32(attributes, IFLA_MASTER) ?? 0) ?? null,
    parent: parentOf(link, names),
    vlanId: kind === "vlan" ? (readU16(data, IFLA_VLAN_ID) ?? null) : null,
    bondMode: mode === undefined ? null : (BOND_MODES[mode] ?? null),
  };
}

/** The two ends of a veth name each other in the same way, but neither is below the other. */
function parentOf(link: RawLink, names: ReadonlyMap<number, string>): string | null {
  const below = readU32(link.attributes, IFLA_LINK);
  if (below === undefined || below === link.index || link.kind === "veth") return null;
  if (link.attributes.has(IFLA_LINK_NETNSID)) return null;
  return names.get(below) ?? null;
}

/** Six bytes, all zero on loopback, or none; tunnels have other lengths, which are no MAC addresses. */
function formatMac(bytes: Buffer | undefined): string {
  if (bytes?.length !== 6 || bytes.every((byte) => byte === 0)) return "";
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function nested(attributes: Attributes, type: number): Attributes {
  const payload = attributes.get(type);
  return payload === undefined ? new Map() : parseAttributes(payload);
}
