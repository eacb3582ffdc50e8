import { AgentError } from "../../base/errors.ts";
import type { NetworkChange, NewLink } from "../network-state.ts";
import {
  attribute,
  nestedAttribute,
  textAttribute,
  u8Attribute,
  u16Attribute,
  u32Attribute,
} from "./attributes.ts";
import { broadcastBytes, familyOf, parseCidr, parseIp } from "./ip-text.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from "./message.ts";
import { BOND_MODES } from "./parse-links.ts";
import {
  ADDRESS_BYTES,
  AF_INET,
  AF_INET6,
  IFF_UP,
  LINK_BYTES,
  ROUTE_BYTES,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_SETLINK,
  RTN_UNICAST,
} from "./rtnetlink.ts";

/** One request to the kernel: message type, flags beside those every request has, body. */
export interface ChangeRequest {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Index of a link by name. @throws AgentError `E_NO_LINK`. */
export type IndexOf = (name: string) => number;

/**
 * The requests that make a change, in order; all but a few changes are one request.
 *
 * @throws AgentError `E_NO_LINK`, or `E_NETLINK` with errno `EINVAL` for an address that is none.
 */
export function buildChange(change: NetworkChange, indexOf: IndexOf): ChangeRequest[] {
  switch (change.op) {
    case "link.add":
      return [buildLinkAdd(change, indexOf)];
    case "link.delete":
      return [{ type: RTM_DELLINK, flags: 0, body: linkBody({ index: indexOf(change.name) }) }];
    case "link.set":
      return buildLinkSet(change, indexOf);
    case "address.add":
    case "address.remove":
      return [buildAddress(change, indexOf(change.interface))];
    case "route.add":
    case "route.replace":
    case "route.remove":
      return [buildRoute(change, indexOf(change.interface))];
  }
}

/** Body of RTM_GETLINK, RTM_SETLINK …: see parse-links.ts. */
export function linkBody(
  head: { index?: number; flags?: number; change?: number },
  attributes: readonly Buffer[] = [],
): Buffer {
  const bytes = Buffer.alloc(LINK_BYTES);
  bytes.writeInt32LE(head.index ?? 0, 4);
  bytes.writeUInt32LE(head.flags ?? 0, 8);
  bytes.writeUInt32LE(head.change ?? 0, 12);
  return Buffer.concat([bytes, ...attributes]);
}

type ChangeOf<Op extends NetworkChange["op"]> = Extract<NetworkChange, { readonly op: Op }>;
type AddressChange = Extract<NetworkChange, { readonly prefix: number }>;
type RouteChange = Extract<NetworkChange, { readonly destination: string }>;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_BR_STP_STATE = 5;
const IFLA_VLAN_ID = 1;
const IFLA_BOND_MODE = 1;
const IFLA_BOND_MIIMON = 3;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_PROTO = 11;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_VIA = 18;
const RTNH_F_ONLINK = 4;
const RTPROT_STATIC = 4;
const RTPROT_UNSPEC = 0;

function buildLinkAdd(change: ChangeOf<"link.add">, indexOf: IndexOf): ChangeRequest {
  const { name, link, mac } = change;
  const attributes = [textAttribute(IFLA_IFNAME, name)];
  if (mac !== undefined) attributes.push(attribute(IFLA_ADDRESS, macBytes(mac)));
  if (link.kind === "vlan") attributes.push(u32Attribute(IFLA_LINK, indexOf(link.parent)));
  const info = [
    textAttribute(IFLA_INFO_KIND, link.kind),
    nestedAttribute(IFLA_INFO_DATA, kindData(link)),
  ];
  attributes.push(nestedAttribute(IFLA_LINKINFO, info));
  return { type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, body: linkBody({}, attributes) };
}

function kindData(link: NewLink): Buffer[] {
  switch (link.kind) {
    case "bridge":
      return link.stp === undefined ? [] : [u32Attribute(IFLA_BR_STP_STATE, link.stp ? 1 : 0)];
    case "vlan":
      return [u16Attribute(IFLA_VLAN_ID, link.vlanId)];
    case "bond": {
      const mode = u8Attribute(IFLA_BOND_MODE, BOND_MODES.indexOf(link.mode));
      const { miimonMs } = link;
      return miimonMs === undefined ? [mode] : [mode, u32Attribute(IFLA_BOND_MIIMON, miimonMs)];
    }
  }
}

/**
 * The kernel sets MTU, name and master before it takes a link down, but a link that is up can be
 * refused a bond: down is a request of its own, made first.
 */
function buildLinkSet(change: ChangeOf<"link.set">, indexOf: IndexOf): ChangeRequest[] {
  const { isUp, mtu, master, newName } = change;
  const index = indexOf(change.name);
  const set = (flags: number, attributes: readonly Buffer[]): ChangeRequest => ({
    type: RTM_SETLINK,
    flags: 0,
    body: linkBody({ index, flags, change: isUp === undefined ? 0 : IFF_UP }, attributes),
  });
  const attributes: Buffer[] = [];
  if (mtu !== undefined) attributes.push(u32Attribute(IFLA_MTU, mtu));
  if (newName !== undefined) attributes.push(textAttribute(IFLA_IFNAME, newName));
  if (master !== undefined) {
    attributes.push(u32Attribute(IFLA_MASTER, master === null ? 0 : indexOf(master)));
  }
  if (isUp === undefined) return attributes.length === 0 ? [] : [set(0, attributes)];
  if (isUp) return [set(IFF_UP, attributes)];
  return attributes.length === 0 ? [set(0, [])] : [set(0, []), set(0, attributes)];
}

/** Body: see parse-addresses.ts. Networks of IPv4 that have one get their broadcast address. */
function buildAddress(change: AddressChange, index: number): ChangeRequest {
  const { prefix, validSeconds, protocol } = change;
  const bytes = ipBytes(change.address);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bytes.length * 8) {
    throw invalid(`${change.address}/${prefix}`, "a prefix length that fits the address");
  }
  const head = Buffer.alloc(ADDRESS_BYTES);
  head.writeUInt8(familyNumber(bytes), 0);
  head.writeUInt8(prefix, 1);
  head.writeUInt32LE(index, 4);
  const parts = [head, attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes)];
  if (change.op === "address.remove") {
    return { type: RTM_DELADDR, flags: 0, body: Buffer.concat(parts) };
  }
  if (familyOf(bytes) === 4 && prefix < 31) {
    parts.push(attribute(IFA_BROADCAST, broadcastBytes(bytes, prefix)));
  }
  if (validSeconds !== undefined) parts.push(attribute(IFA_CACHEINFO, lifetime(validSeconds)));
  if (protocol !== undefined && protocol !== 0) parts.push(u8Attribute(IFA_PROTO, protocol));
  return { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, body: Buffer.concat(parts) };
}

/** struct ifa_cacheinfo; preferred as long as valid. */
function lifetime(seconds: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(seconds, 0);
  bytes.writeUInt32LE(seconds, 4);
  return bytes;
}

/** Body: see parse-routes.ts. */
function buildRoute(change: RouteChange, index: number): ChangeRequest {
  const destination = parseCidr(change.destination);
  if (destination === undefined) throw invalid(change.destination, "ADDRESS/PREFIX");
  const { bytes, prefix } = destination;
  const isRemoval = change.op === "route.remove";
  const head = Buffer.alloc(ROUTE_BYTES);
  head.writeUInt8(familyNumber(bytes), 0);
  head.writeUInt8(prefix, 1);
  head.writeUInt8(RT_TABLE_MAIN, 4);
  // A removal matches every owner and scope unless told otherwise.
  head.writeUInt8(change.protocol ?? (isRemoval ? RTPROT_UNSPEC : RTPROT_STATIC), 5);
  const scope = change.gateway === null ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  head.writeUInt8(isRemoval ? RT_SCOPE_NOWHERE : scope, 6);
  head.writeUInt8(isRemoval ? 0 : RTN_UNICAST, 7);
  head.writeUInt32LE(change.isOnLink === true ? RTNH_F_ONLINK : 0, 8);
  const parts = [head, u32Attribute(RTA_OIF, index)];
  if (prefix > 0) parts.push(attribute(RTA_DST, bytes));
  if (change.gateway !== null) parts.push(gatewayAttribute(ipBytes(change.gateway), bytes));
  if (change.metric !== undefined) parts.push(u32Attribute(RTA_PRIORITY, change.metric));
  return { ...ROUTE_REQUESTS[change.op], body: Buffer.concat(parts) };
}

const ROUTE_REQUESTS = {
  "route.add": { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL },
  "route.replace": { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE },
  "route.remove": { type: RTM_DELROUTE, flags: 0 },
} as const;

function gatewayAttribute(gateway: Buffer, destination: Buffer): Buffer {
  if (gateway.length === destination.length) return attribute(RTA_GATEWAY, gateway);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(familyNumber(gateway));
  return attribute(RTA_VIA, Buffer.concat([family, gateway]));
}

function familyNumber(bytes: Buffer): number {
  return familyOf(bytes) === 4 ? AF_INET : AF_INET6;
}

function ipBytes(text: string): Buffer {
  const bytes = parseIp(text);
  if (bytes === undefined) throw invalid(text, "an IPv4 or IPv6 address");
  return bytes;
}

function macBytes(text: string): Buffer {
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text)) {
    throw invalid(text, "six bytes in hexadecimal, with colons");
  }
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

function invalid(seen: string, wanted: string): AgentError {
  return new AgentError("E_NETLINK", `Cannot use ${seen}: expected ${wanted}`, {
    fields: { errno: "EINVAL" },
  });
}
