import { isIP } from "node:net";

/** A port that is open to everybody. */
export interface OpenPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** Where packets may come from: over one interface, or from the addresses of one network. */
export type Origin =
  | { readonly kind: "interface"; readonly name: string }
  | { readonly kind: "network"; readonly family: 4 | 6; readonly network: string };

/** Reads `tcp/8080`; undefined for anything else. */
export function parseOpenPort(text: string): OpenPort | undefined {
  const match = /^(tcp|udp)\/([1-9]\d{0,4})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) return undefined;
  return { protocol: match[1] === "udp" ? "udp" : "tcp", port };
}

/**
 * Reads the name of an interface, an address, or `ADDRESS/PREFIX`. What looks like an address is never
 * taken for a name, so that a slip of the pen is noticed.
 */
export function parseOrigin(text: string): Origin | undefined {
  const [address = "", prefix, ...more] = text.split("/");
  const family = isIP(address);
  // isIP lets a zone through, which means nothing in a rule.
  if ((family === 4 || family === 6) && !address.includes("%") && more.length === 0) {
    const widest = family === 4 ? 32 : 128;
    if (prefix === undefined) return { kind: "network", family, network: `${address}/${widest}` };
    const isLength = /^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= widest;
    return isLength ? { kind: "network", family, network: text } : undefined;
  }
  return isRuleInterface(text) ? { kind: "interface", name: text } : undefined;
}

/**
 * True for a name a packet filter rule can hold. Fewer than the kernel takes: a quote would end the
 * word, and a star at its end would mean many interfaces.
 */
export function isRuleInterface(name: string): boolean {
  return /^[\w.-]{1,15}$/.test(name) && /[^\d.]/.test(name);
}
