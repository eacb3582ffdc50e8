import {
  broadcastBytes,
  familyOf,
  formatIp,
  maskedBytes,
  parseCidr,
  parseIp,
} from "../sys/netlink/ip-text.ts";
import type { Family } from "../sys/network-state.ts";

/** One IP address without a zone. */
export interface IpAddress {
  readonly family: Family;
  /** 4 or 16, in network order. */
  readonly bytes: Uint8Array;
  /** Canonical: dotted, or lower case and shortened. */
  readonly text: string;
}

/** An address with the length of its network prefix. */
export interface IpPrefix extends IpAddress {
  /** 0 to 32, or to 128. */
  readonly prefix: number;
}

/** Undefined for anything that is not an IPv4 or IPv6 address, leading zeros and zones included. */
export function readIp(text: string): IpAddress | undefined {
  const bytes = parseIp(text);
  return bytes === undefined ? undefined : toIp(bytes);
}

/** `ADDRESS/PREFIX`; undefined for anything else. */
export function readPrefix(text: string): IpPrefix | undefined {
  const cidr = parseCidr(text);
  return cidr === undefined ? undefined : { ...toIp(cidr.bytes), prefix: cidr.prefix };
}

/** First address of the network an address is in: its host part is zero. */
export function networkOf({ bytes, prefix }: IpPrefix): IpPrefix {
  return { ...toIp(maskedBytes(bytes, prefix)), prefix };
}

/** Last address of the network; for IPv4 the broadcast address. */
export function lastOf({ bytes, prefix }: IpPrefix): IpPrefix {
  return { ...toIp(broadcastBytes(bytes, prefix)), prefix };
}

export function isInside(ip: IpAddress, network: IpPrefix): boolean {
  if (ip.family !== network.family) return false;
  return networkOf({ ...ip, prefix: network.prefix }).text === networkOf(network).text;
}

/** Valid on one link only, so that two links may have the same one. Source: RFC 4291, 2.5.6. */
export function isLinkLocalV6({ family, bytes }: IpAddress): boolean {
  return family === 6 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

/** What makes an address unusable for one machine on a link, in words; undefined for a usable one. */
export function specialUse({ family, bytes, text }: IpAddress): string | undefined {
  const [first = 0] = bytes;
  if (family === 4) {
    if (first === 0) return "an unspecified address";
    if (first === 127) return "a loopback address";
    if (first >= 240) return "a reserved address";
    return first >= 224 ? "a multicast address" : undefined;
  }
  if (text === "::") return "the unspecified address";
  if (text === "::1") return "the loopback address";
  if (first === 0xff) return "a multicast address";
  return text.startsWith("::ffff:") && text.includes(".") ? "an IPv4-mapped address" : undefined;
}

export function isLoopback({ family, bytes, text }: IpAddress): boolean {
  return family === 4 ? bytes[0] === 127 : text === "::1";
}

export function bitsOf({ family }: IpAddress): number {
  return family === 4 ? 32 : 128;
}

function toIp(bytes: Uint8Array): IpAddress {
  return { family: familyOf(bytes), bytes, text: formatIp(bytes) };
}
