import { formatIpv4, formatMac, parseIpv4, parseMac } from "../sys/arp-address.ts";

/** One ARP packet for Ethernet and IPv4. Source: RFC 826. */
export interface ArpPacket {
  readonly operation: "request" | "reply";
  /** Lower case with colons. */
  readonly senderMac: string;
  /** Dotted; `0.0.0.0` makes a request a probe. */
  readonly senderAddress: string;
  readonly targetMac: string;
  readonly targetAddress: string;
}

export const ARP_BYTES = 28;
export const NO_ADDRESS = "0.0.0.0";
const NO_MAC = "00:00:00:00:00:00";

/** Hardware type 1, protocol 0x0800, lengths 6 and 4. */
const HEADER = Uint8Array.of(0, 1, 8, 0, 6, 4, 0);
const OPERATION_AT = 7;
const OPERATIONS = { request: 1, reply: 2 } as const;
const SENDER_MAC_AT = 8;
const SENDER_ADDRESS_AT = 14;
const TARGET_MAC_AT = 18;
const TARGET_ADDRESS_AT = 24;

/** Asks whether anybody has an address without saying so in caches. Source: RFC 5227, 1.1 and 2.1.1. */
export function buildProbe(mac: string, address: string): Uint8Array {
  return encodeArp({
    operation: "request",
    senderMac: mac,
    senderAddress: NO_ADDRESS,
    targetMac: NO_MAC,
    targetAddress: address,
  });
}

/** Tells everybody whose an address is. Source: RFC 5227, 1.1 and 2.3. */
export function buildAnnouncement(mac: string, address: string): Uint8Array {
  return encodeArp({
    operation: "request",
    senderMac: mac,
    senderAddress: address,
    targetMac: NO_MAC,
    targetAddress: address,
  });
}

/** @throws RangeError for an address that is none. */
export function encodeArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_BYTES);
  bytes.set(HEADER);
  bytes[OPERATION_AT] = OPERATIONS[packet.operation];
  bytes.set(parseMac(packet.senderMac), SENDER_MAC_AT);
  bytes.set(parseIpv4(packet.senderAddress), SENDER_ADDRESS_AT);
  bytes.set(parseMac(packet.targetMac), TARGET_MAC_AT);
  bytes.set(parseIpv4(packet.targetAddress), TARGET_ADDRESS_AT);
  return bytes;
}

/**
 * Reads a packet from the network. Bytes after it are the padding of short Ethernet frames.
 *
 * @returns Undefined for anything but a whole request or reply for Ethernet and IPv4.
 */
export function parseArp(bytes: Uint8Array): ArpPacket | undefined {
  if (bytes.length < ARP_BYTES) return undefined;
  if (HEADER.some((byte, at) => bytes[at] !== byte)) return undefined;
  const operation = operationOf(bytes[OPERATION_AT]);
  if (operation === undefined) return undefined;
  return {
    operation,
    senderMac: formatMac(bytes.subarray(SENDER_MAC_AT, SENDER_ADDRESS_AT)),
    senderAddress: formatIpv4(bytes.subarray(SENDER_ADDRESS_AT, TARGET_MAC_AT)),
    targetMac: formatMac(bytes.subarray(TARGET_MAC_AT, TARGET_ADDRESS_AT)),
    targetAddress: formatIpv4(bytes.subarray(TARGET_ADDRESS_AT, ARP_BYTES)),
  };
}

function operationOf(code: number | undefined): ArpPacket["operation"] | undefined {
  if (code === OPERATIONS.request) return "request";
  return code === OPERATIONS.reply ? "reply" : undefined;
}
