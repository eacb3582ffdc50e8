/** What a DHCP server gave one interface, checked: nothing in it can be more than it says. */
export interface Lease {
  readonly interface: string;
  /** Dotted IPv4 address. */
  readonly address: string;
  /** Length of the network prefix, 0 to 32. */
  readonly prefix: number;
  /** Dotted; null on a network without router. Without meaning where `routes` is not empty (RFC 3442). */
  readonly gateway: string | null;
  /** Classless static routes, option 121; a null gateway means directly on the link. */
  readonly routes: readonly { readonly destination: string; readonly gateway: string | null }[];
  readonly dns: readonly string[];
  /** Search domains, options 119 and 15. */
  readonly search: readonly string[];
  /** Dotted addresses, option 42. */
  readonly ntp: readonly string[];
  /** Option 12, letters, digits and hyphens only; null without a usable one. */
  readonly hostname: string | null;
  /** Option 26, 576 to 9216; null without a usable one. */
  readonly mtu: number | null;
  /** Seconds from when it was given; null: for ever. */
  readonly leaseSeconds: number | null;
  /** The server that gave it; empty if it did not say. */
  readonly server: string;
}

const IPV4 = /^(\d{1,3}\.){3}\d{1,3}$/;

/**
 * Parses a lease file as the udhcpc hook writes it: lines `key=value`, the last one `end=1`.
 *
 * @returns Undefined while there is no lease: an empty file, or one that is just being written.
 */
export function parseLease(text: string): Lease | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const address = fields.get("address") ?? "";
  const prefix = Number(fields.get("prefix") || Number.NaN);
  const isWhole = fields.get("end") === "1" && IPV4.test(address);
  if (!isWhole || !Number.isInteger(prefix) || prefix < 0 || prefix > 32) return undefined;
  const gateway = fields.get("gateway") ?? "";
  return {
    interface: fields.get("interface") ?? "",
    address,
    prefix,
    gateway: IPV4.test(gateway) ? gateway : null,
    routes: [],
    dns: (fields.get("dns") ?? "").split(" ").filter((server) => IPV4.test(server)),
    search: [],
    ntp: [],
    hostname: null,
    mtu: null,
    leaseSeconds: null,
    server: fields.get("server") ?? "",
  };
}
