import type { BondMode } from "../sys/network-state.ts";
import { type ProbeAddress, parseProbe } from "./kernel-words.ts";
import { bad, type Checked, good } from "./network-config-table.ts";
import {
  bitsOf,
  type IpAddress,
  type IpPrefix,
  lastOf,
  networkOf,
  readIp,
  readPrefix,
  specialUse,
} from "./network-values.ts";

export const PROTOCOLS = ["none", "dhcp", "static"] as const;

export const BOND_MODES: readonly BondMode[] = [
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "802.3ad",
  "balance-tlb",
  "balance-alb",
];

/** An address of this machine on one of its links. */
export function checkHostAddress(text: string): Checked<IpPrefix> {
  const ip = readPrefix(text);
  const wanted = 'ADDRESS/PREFIX, for example "10.0.0.5/24" or "2001:db8::5/64"';
  if (ip === undefined) return bad(wanted);
  if (ip.prefix === 0) return bad(`a prefix from 1 to ${bitsOf(ip)}`);
  const special = specialUse(ip);
  if (special !== undefined) return bad("an address one machine can have", special);
  // The last two prefix lengths leave no room for a network or broadcast address. Source: RFC 3021, 6164.
  if (ip.prefix >= bitsOf(ip) - 1) return good(ip);
  const network = networkOf(ip);
  if (ip.text === network.text) return bad("the address of a host", "the address of the network");
  if (ip.family === 4 && ip.text === lastOf(ip).text) {
    return bad("the address of a host", "the broadcast address");
  }
  return good(ip);
}

/** Any address with its prefix: what the loopback interface may have. */
export function checkPrefix(text: string): Checked<IpPrefix> {
  const ip = readPrefix(text);
  return ip === undefined ? bad('ADDRESS/PREFIX, for example "127.0.0.1/8"') : good(ip);
}

/** A router on a link. */
export function checkGateway(text: string): Checked<IpAddress> {
  const ip = readIp(text);
  if (ip === undefined) return bad("an IPv4 or IPv6 address without prefix");
  const special = specialUse(ip);
  return special === undefined ? good(ip) : bad("the address of a router", special);
}

/** `"default"` stands for the default route of the family of its gateway. */
export function checkDestination(text: string): Checked<IpPrefix | "default"> {
  if (text === "default") return good("default");
  const ip = readPrefix(text);
  if (ip === undefined) return bad('NETWORK/PREFIX, for example "10.7.0.0/16", or "default"');
  const network = networkOf(ip);
  if (network.text !== ip.text) return bad(`"${network.text}/${ip.prefix}"`, "not a network");
  const special = ip.prefix === 0 ? undefined : specialUse(ip);
  const isUnicast = special === undefined || !/multicast|loopback|reserved/.test(special);
  return isUnicast ? good(ip) : bad("a unicast network", special ?? "");
}

/** A resolver; one on this machine is fine, and a link-local one has a zone. */
export function checkNameServer(text: string): Checked<string> {
  const wanted = "an IPv4 or IPv6 address";
  const [address = "", zone, ...more] = text.split("%");
  const ip = readIp(address);
  if (ip === undefined || more.length > 0) return bad(wanted);
  const special = specialUse(ip);
  if (special !== undefined && !special.includes("loopback")) {
    return bad("the address of a name server", special);
  }
  if (zone === undefined) return good(ip.text);
  return ip.family === 6 && isInterfaceName(zone) ? good(`${ip.text}%${zone}`) : bad(wanted);
}

/** Without the dot that may end it. */
export function checkDomain(text: string): Checked<string> {
  const domain = text.replace(/\.$/, "");
  const labels = domain.split(".");
  const isGood =
    domain.length <= 253 && labels.every((label) => /^[\w]([\w-]{0,61}[\w])?$/.test(label));
  return isGood ? good(domain) : bad("a domain name such as lab.example");
}

export function checkProbe(text: string): Checked<ProbeAddress> {
  const probe = parseProbe(text);
  return probe === undefined ? bad("HOST:PORT with a port from 1 to 65535") : good(probe);
}

/** A hardware address that can be of one card, in lower case. */
export function checkMac(text: string): Checked<string> {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) {
    return bad('six hexadecimal bytes with colons, for example "52:54:00:12:34:56"');
  }
  const wanted = "the hardware address of one interface";
  if ((Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) return bad(wanted, "a group address");
  return mac === "00:00:00:00:00:00" ? bad(wanted, "no address") : good(mac);
}

export const INTERFACE_NAME =
  'the name of an interface, 1 to 15 characters without slash, colon and space, not ".", "..", "all" or "default"';

export function checkInterfaceName(text: string): Checked<string> {
  return isInterfaceName(text) ? good(text) : bad(INTERFACE_NAME);
}

/** Kernel rule, less the names that mean all interfaces in /proc/sys. Source: dev_valid_name(). */
export function isInterfaceName(text: string): boolean {
  const isForbidden =
    /[/:\s\p{Cc}]/u.test(text) || ["", ".", "..", "all", "default"].includes(text);
  return !isForbidden && Buffer.byteLength(text) <= 15;
}

export function checkProtocol(text: string): Checked<(typeof PROTOCOLS)[number]> {
  return oneOf(PROTOCOLS, text);
}

export function checkIpv6(text: string): Checked<"slaac" | "none"> {
  return oneOf(["slaac", "none"] as const, text);
}

export function checkBondMode(text: string): Checked<BondMode> {
  return oneOf(BOND_MODES, text);
}

/** `https://HOST[:PORT]`, without the slash that may end it. */
export function checkControllerUrl(text: string): Checked<string> {
  const wanted = "https://HOST or https://HOST:PORT with a port from 1 to 65535";
  // Whatever stands before an @ may be a password.
  if (text.includes("@")) return { ...bad(wanted), seen: "a URL with user information" };
  if (/^http:/i.test(text)) return bad(wanted, "not encrypted");
  const match = /^https:\/\/([^/]*)\/?(.*)$/is.exec(text);
  if (match === null) return bad(wanted);
  const [, authority = "", rest = ""] = match;
  if (rest !== "") return bad(wanted, "with a path");
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority);
  const [, host = "", port = "443"] = parts ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  if (parts === null || !isPort || !isHost(host)) return bad(wanted);
  return good(`https://${authority.toLowerCase()}`);
}

export function checkCaPath(text: string): Checked<string> {
  return /^\/[^\0]+$/.test(text) ? good(text) : bad("the absolute path of a PEM file");
}

/** A name, an IPv4 address, or an IPv6 address in brackets. */
function isHost(host: string): boolean {
  const inBrackets = /^\[(.*)\]$/.exec(host)?.[1];
  if (inBrackets !== undefined) return readIp(inBrackets)?.family === 6;
  return /^[\d.]+$/.test(host) ? readIp(host) !== undefined : checkDomain(host).isGood;
}

function oneOf<T extends string>(values: readonly T[], text: string): Checked<T> {
  const value = values.find((allowed) => allowed === text);
  return value === undefined ? bad(`one of ${values.join(", ")}`) : good(value);
}
