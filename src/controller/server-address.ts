import { isIPv6 } from "node:net";

/** An address as it is compared and shown: IPv4 without its IPv6 wrapping, IPv6 in short form. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [plain = address] = address.split("%");
  return new URL(`http://[${plain}]`).hostname.slice(1, -1);
}

/** What limits count by: whoever has an IPv6 address commonly has the whole /64 around it. */
export function sourceOf(plain: string): string {
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
