import { isHostAddress, isHostOf, isMask, parseRoute } from "./lease-addresses.ts";

/** What a DHCP server gave one interface, checked: nothing in it can be more than it says. */
export interface Lease {
  readonly interface: string;
  /** Dotted IPv4 address. */
  readonly address: string;
  /** Length of the network prefix, 8 to 32. */
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
  /** When it was given or renewed, milliseconds since the kernel started; null or left out where nobody wrote it. */
  readonly obtainedMs?: number | null;
  /** The server that gave it; empty if it did not say. */
  readonly server: string;
}

/** Called with each value that is not used. `value` is short and printable. */
export type DroppedListener = (field: string, value: string) => void;

/** What an infinite lease says. Source: RFC 2131, section 3.3. */
const FOREVER = 0xffffffff;
const SHOWN_LENGTH = 60;
const MTU = { lowest: 576, highest: 9216 };
/** What udhcpc puts where a name has characters it does not like: "bad", cut to the length of the name. */
const REFUSED_NAMES: readonly string[] = ["b", "ba", "bad"];

const HOST_LABEL = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;
/** Labels of search domains may have underscores: Windows domains do. */
const DOMAIN = /^(?=.{1,253}$)[a-z\d_](?:[\w-]{0,61}\w)?(?:\.[a-z\d_](?:[\w-]{0,61}\w)?)*$/i;

type Drop = (field: string, value: string) => undefined;

/**
 * Parses a lease file as the udhcpc hook writes it: lines `key=value`, the last one `end=1`; what comes
 * after that does not count. Values are what a server said: each is checked, and left out when it is
 * not what it is to be.
 *
 * @returns Undefined while there is no lease: an empty file, one that is just being written, or one
 * whose address or mask no interface can have.
 */
export function parseLease(text: string, onDropped: DroppedListener = () => {}): Lease | undefined {
  const fields = splitFields(text);
  if (fields === undefined) return undefined;
  const textOf = (field: string): string => fields.get(field) ?? "";
  const drop: Drop = (field, value) => void onDropped(field, printable(value));
  const listOf = (field: string, isUsable: (word: string) => boolean): string[] =>
    wordsOf(textOf(field)).filter((word) => isUsable(word) || drop(field, word));

  for (const field of wordsOf(textOf("unprintable"))) drop(field, "not printable");
  const address = textOf("address");
  const prefix = readPrefix(textOf("prefix"), textOf("netmask"), drop);
  if (prefix === undefined) return undefined;
  if (!isHostOf(address, prefix)) return drop("address", address);
  return {
    interface: textOf("interface"),
    address,
    prefix,
    gateway: listOf("gateway", isHostAddress)[0] ?? null,
    routes: readRoutes(wordsOf(textOf("routes")), drop),
    dns: listOf("dns", isHostAddress),
    search: [...new Set([...listOf("search", isDomain), ...listOf("domain", isDomain)])],
    ntp: listOf("ntp", isHostAddress),
    hostname: readHostname(textOf("hostname"), drop),
    mtu: readMtu(textOf("mtu"), drop),
    leaseSeconds: readSeconds(textOf("lease"), drop),
    obtainedMs: readUptime(textOf("uptime")),
    server: listOf("server", isHostAddress)[0] ?? "",
  };
}

/** Whether a lease has run out. @param uptimeMs Time since the kernel started. */
export function isOver({ obtainedMs = null, leaseSeconds }: Lease, uptimeMs: number): boolean {
  if (obtainedMs === null || leaseSeconds === null) return false;
  return uptimeMs >= obtainedMs + leaseSeconds * 1000;
}

/** Time since the kernel started, from /proc/uptime; null where the text is no such time. */
export function readUptime(text: string): number | null {
  const [, seconds] = /^(\d{1,12}(?:\.\d{1,9})?)(?:\s|$)/.exec(text) ?? [];
  return seconds === undefined ? null : Math.round(Number(seconds) * 1000);
}

function splitFields(text: string): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  const lines = text.split("\n");
  // The last line of a file that is just being written may be cut.
  lines.pop();
  for (const line of lines) {
    if (line === "end=1") return fields;
    const equals = line.indexOf("=");
    if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return undefined;
}

function readPrefix(text: string, netmask: string, drop: Drop): number | undefined {
  if (netmask !== "" && !isMask(netmask)) return drop("netmask", netmask);
  const prefix = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return prefix >= 8 && prefix <= 32 ? prefix : drop("prefix", text);
}

function readRoutes(words: readonly string[], drop: Drop): Lease["routes"] {
  const routes = new Map<string, Lease["routes"][number]>();
  for (let index = 0; index < words.length; index += 2) {
    const [destination = "", gateway = ""] = words.slice(index, index + 2);
    const route = parseRoute(destination, gateway);
    if (route === undefined) drop("routes", `${destination} ${gateway}`);
    // Of two ways to the same network the first one counts: the kernel knows one for each metric.
    else if (!routes.has(route.destination)) routes.set(route.destination, route);
  }
  return [...routes.values()];
}

function readHostname(text: string, drop: Drop): string | null {
  if (text === "") return null;
  if (HOST_LABEL.test(text) && !REFUSED_NAMES.includes(text)) return text;
  return drop("hostname", text) ?? null;
}

function readMtu(text: string, drop: Drop): number | null {
  if (text === "") return null;
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (mtu >= MTU.lowest && mtu <= MTU.highest) return mtu;
  return drop("mtu", text) ?? null;
}

function readSeconds(text: string, drop: Drop): number | null {
  if (text === "") return null;
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (seconds === FOREVER) return null;
  return seconds > 0 && seconds < FOREVER ? seconds : (drop("lease", text) ?? null);
}

function isDomain(text: string): boolean {
  return DOMAIN.test(text) && !REFUSED_NAMES.includes(text);
}

function wordsOf(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** Cuts a text and replaces what does not print, so that it fits into one line of a log. */
function printable(value: string): string {
  if (REFUSED_NAMES.includes(value)) return `${value} (written by udhcpc for a name it refuses)`;
  const text = value.replaceAll(/[^ -~]/g, "?");
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}
