const IPV4_BYTES = 4;
const MAC_BYTES = 6;
const HEX = 16;

/** Four bytes of a dotted address. @throws RangeError when it is none: callers check before. */
export function parseIpv4(text: string): Uint8Array {
  const parts = text.split(".");
  const bytes = Uint8Array.from(parts, Number);
  if (parts.length !== IPV4_BYTES || formatIpv4(bytes) !== text) {
    throw new RangeError(`Cannot read address: ${text}, expected four numbers 0 to 255`);
  }
  return bytes;
}

export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** Six bytes of a hardware address with colons. @throws RangeError when it is none. */
export function parseMac(text: string): Uint8Array {
  const parts = text.toLowerCase().split(":");
  const bytes = Uint8Array.from(parts, (part) => Number.parseInt(part, HEX));
  if (parts.length !== MAC_BYTES || formatMac(bytes) !== text.toLowerCase()) {
    throw new RangeError(`Cannot read hardware address: ${text}, expected 00:11:22:33:44:55`);
  }
  return bytes;
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(HEX).padStart(2, "0")).join(":");
}
