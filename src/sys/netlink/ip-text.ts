import { isIPv4, isIPv6 } from "node:net";
import type { Family } from "../network-state.ts";

/**
 * Bytes of an address in network order: 4 for IPv4, 16 for IPv6; undefined for anything else, a zone
 * (`fe80::1%eth0`) included.
 */
export function parseIp(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const [head = "", tail] = text.split("::");
  const left = parseGroups(head);
  const right = tail === undefined ? [] : parseGroups(tail);
  const gap = tail === undefined ? 0 : IPV6_BYTES - left.length - right.length;
  return Buffer.from([...left, ...new Array<number>(gap).fill(0), ...right]);
}

/**
 * Canonical text of 4 or 16 bytes: dotted, or IPv6 in lower case with the longest run of zeros left
 * out; addresses that hold an IPv4 address (`::ffff:0:0/96`) end in dotted form.
 *
 * Source: RFC 5952.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join(".");
  const view = Buffer.from(bytes);
  const groups = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(index * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${view.subarray(12).join(".")}`;
  }
  const words = groups.map((group) => group.toString(16));
  const run = longestZeroRun(groups);
  if (run.length < 2) return words.join(":");
  const end = run.start + run.length;
  return `${words.slice(0, run.start).join(":")}::${words.slice(end).join(":")}`;
}

/** An address with the length of its network. */
export interface Cidr {
  readonly family: Family;
  /** 4 or 16 bytes, host bits included. */
  readonly bytes: Buffer;
  readonly prefix: number;
}

/** Reads `ADDRESS/PREFIX`; undefined when it is anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.lastIndexOf("/");
  const bytes = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (slash < 0 || bytes === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const prefix = Number(digits);
  return prefix > bytes.length * 8 ? undefined : { family: familyOf(bytes), bytes, prefix };
}

/** `ADDRESS/PREFIX` of the network an address is in: host bits are zero. */
export function formatNetwork({ bytes, prefix }: Omit<Cidr, "family">): string {
  return `${formatIp(maskedBytes(bytes, prefix))}/${prefix}`;
}

/** Keeps the first `prefix` bits. */
export function maskedBytes(bytes: Uint8Array, prefix: number): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte & maskByte(prefix, index)));
}

/** The address with all host bits set, which IPv4 uses for broadcasts. */
export function broadcastBytes(bytes: Uint8Array, prefix: number): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte | (~maskByte(prefix, index) & 0xff)));
}

export function familyOf(bytes: Uint8Array): Family {
  return bytes.length === IPV4_BYTES ? 4 : 6;
}

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

function maskByte(prefix: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefix - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}

/** Bytes of `a:b:c` or `a:b:1.2.3.4`; the text is known to be valid. */
function parseGroups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
