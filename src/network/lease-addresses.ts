/** Dotted IPv4 address as a number from 0 to 2^32-1; undefined for anything else, leading zeros included. */
export function parseIpv4(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.some((byte) => byte > 255)
    ? undefined
    : bytes.reduce((number, byte) => number * 256 + byte, 0);
}

/** Whether one machine can have it: not 0/8, not loopback, not multicast or above. */
export function isHostAddress(text: string): boolean {
  const first = Math.floor((parseIpv4(text) ?? 0) / 2 ** 24);
  return first > 0 && first !== 127 && first < 224;
}

/** Whether a machine can have it in its network: neither the network itself nor all its hosts. */
export function isHostOf(text: string, prefix: number): boolean {
  const number = parseIpv4(text);
  if (number === undefined || !isHostAddress(text)) return false;
  const hosts = 2 ** (32 - prefix);
  return prefix >= 31 || (number % hosts !== 0 && number % hosts !== hosts - 1);
}

/** Whether a mask has all its ones on the left. */
export function isMask(text: string): boolean {
  const number = parseIpv4(text);
  return number !== undefined && Number.isInteger(Math.log2(2 ** 32 - number));
}

/**
 * One classless route of RFC 3442 as udhcpc prints it.
 *
 * @param destination `ADDRESS/LENGTH`; bits behind the length are cleared.
 * @param gateway `0.0.0.0` means directly on the link.
 * @returns Undefined for one that leads nowhere.
 */
export function parseRoute(
  destination: string,
  gateway: string,
): { destination: string; gateway: string | null } | undefined {
  const [address = "", lengthText = "", ...more] = destination.split("/");
  const number = parseIpv4(address);
  const length = /^\d{1,2}$/.test(lengthText) ? Number(lengthText) : 33;
  if (number === undefined || more.length > 0 || length > 32) return undefined;
  const network = number - (number % 2 ** (32 - length));
  const first = Math.floor(network / 2 ** 24);
  if (first === 127 || first >= 224) return undefined;
  if (gateway !== "0.0.0.0" && !isHostAddress(gateway)) return undefined;
  return {
    destination: `${formatIpv4(network)}/${length}`,
    gateway: gateway === "0.0.0.0" ? null : gateway,
  };
}

function formatIpv4(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}
