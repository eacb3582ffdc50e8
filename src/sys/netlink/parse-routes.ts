import type { RouteState } from "../network-state.ts";
import { type Attributes, parseAttributes, readU32 } from "./attributes.ts";
import { formatIp } from "./ip-text.ts";
import { fixedPart, malformed, type NetlinkMessage } from "./message.ts";
import {
  AF_INET,
  AF_INET6,
  ROUTE_BYTES,
  RT_TABLE_MAIN,
  RTM_NEWROUTE,
  RTN_UNICAST,
} from "./rtnetlink.ts";

/**
 * The unicast routes of the main table in a dump, in its order. Of several next hops the first counts.
 *
 * Body of RTM_NEWROUTE: family, destination bits, source bits, service, table, protocol, scope, type (u8
 * each), flags u32, attributes.
 *
 * @param names Link names by index.
 */
export function parseRoutes(
  messages: readonly NetlinkMessage[],
  names: ReadonlyMap<number, string>,
): RouteState[] {
  return messages.flatMap((message) => {
    if (message.type !== RTM_NEWROUTE || !isMainUnicast(message)) return [];
    return parseRoute(message, names);
  });
}

/** Whether the message is about a route that {@link parseRoutes} would show. */
export function isMainUnicast({ body }: NetlinkMessage): boolean {
  const head = fixedPart(body, ROUTE_BYTES);
  const family = head.readUInt8(0);
  if (family !== AF_INET && family !== AF_INET6) return false;
  if (head.readUInt8(7) !== RTN_UNICAST) return false;
  if ((head.readUInt32LE(8) & RTM_F_CLONED) !== 0) return false;
  return tableOf(head.readUInt8(4), parseAttributes(body, ROUTE_BYTES)) === RT_TABLE_MAIN;
}

/** Index of the link of a route; undefined where it has none. */
export function parseRouteIndex({ body }: NetlinkMessage): number | undefined {
  fixedPart(body, ROUTE_BYTES);
  return firstHop(parseAttributes(body, ROUTE_BYTES)).index;
}

const RTM_F_CLONED = 0x200;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_VIA = 18;
/** struct rtnexthop: length u16, flags u8, hops u8, index i32, attributes. */
const NEXT_HOP_BYTES = 8;

function parseRoute({ body }: NetlinkMessage, names: ReadonlyMap<number, string>): RouteState[] {
  const head = fixedPart(body, ROUTE_BYTES);
  const family = head.readUInt8(0) === AF_INET ? 4 : 6;
  const attributes = parseAttributes(body, ROUTE_BYTES);
  const hop = firstHop(attributes);
  const name = names.get(hop.index ?? 0);
  if (name === undefined) return [];
  const destination = attributes.get(RTA_DST) ?? Buffer.alloc(family === 4 ? 4 : 16);
  return [
    {
      family,
      destination: `${addressText(destination)}/${head.readUInt8(1)}`,
      gateway: gatewayOf(hop.attributes),
      interface: name,
      metric: readU32(attributes, RTA_PRIORITY) ?? 0,
      protocol: head.readUInt8(5),
    },
  ];
}

/** The attribute holds what does not fit the one byte of the header. */
function tableOf(short: number, attributes: Attributes): number {
  return readU32(attributes, RTA_TABLE) ?? short;
}

function firstHop(attributes: Attributes): { index: number | undefined; attributes: Attributes } {
  const hops = attributes.get(RTA_MULTIPATH);
  if (hops === undefined) return { index: readU32(attributes, RTA_OIF), attributes };
  const length = fixedPart(hops, NEXT_HOP_BYTES).readUInt16LE(0);
  if (length < NEXT_HOP_BYTES || length > hops.length) {
    throw malformed("next hop", length, hops.length);
  }
  return {
    index: hops.readInt32LE(4),
    attributes: parseAttributes(hops.subarray(0, length), NEXT_HOP_BYTES),
  };
}

/** A gateway of the other family is in RTA_VIA: family u16, address. */
function gatewayOf(attributes: Attributes): string | null {
  const gateway = attributes.get(RTA_GATEWAY) ?? attributes.get(RTA_VIA)?.subarray(2);
  return gateway === undefined ? null : addressText(gateway);
}

function addressText(bytes: Buffer): string {
  if (bytes.length !== 4 && bytes.length !== 16) throw malformed("address", bytes.length, 16);
  return formatIp(bytes);
}
