import { AgentError } from "../base/errors.ts";
import { isRuleInterface } from "../config/node-config-firewall.ts";
import {
  broadcastBytes,
  type Cidr,
  formatIp,
  maskedBytes,
  parseCidr,
  parseIp,
} from "../sys/netlink/ip-text.ts";
import type { AddressState } from "../sys/network-state.ts";

/** A bridge as it is wanted, checked. */
export interface BridgeSettings {
  readonly name: string;
  /** Empty: the node chooses one. */
  readonly mac: string;
  readonly mode: "" | "static" | "dnsmasq";
  /** `ADDRESS/PREFIX` of the bridge; empty without a mode. */
  readonly cidr: string;
  /** First and last address that is given away; empty unless the mode is `dnsmasq`. */
  readonly start: string;
  readonly end: string;
  /** Its network is hidden behind the addresses of the node. */
  readonly nat: boolean;
}

/** What `bridge.create` was asked for. */
export interface WantedBridge {
  readonly name: string;
  readonly mac: string;
  readonly mode: string;
  readonly nat: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

/** @throws AgentError `E_BRIDGE` naming what cannot be used. */
export function parseBridge(wanted: WantedBridge): BridgeSettings {
  const { mac, mode, nat, settings } = wanted;
  const name = bridgeName(wanted.name);
  if (mode === "") return { name, mac, mode, cidr: "", start: "", end: "", nat: false };
  if (mode !== "static" && mode !== "dnsmasq") {
    throw unusable("mode", mode, 'one of "", "static", "dnsmasq"');
  }
  const network = bridgeNetwork(settings["cidr"] ?? "");
  const cidr = `${formatIp(network.bytes)}/${network.prefix}`;
  if (mode === "static") return { name, mac, mode, cidr, start: "", end: "", nat };
  const start = poolAddress("start", settings["start"] ?? "", network);
  const end = poolAddress("end", settings["end"] ?? "", network);
  if (Buffer.compare(start, end) > 0) {
    throw unusable("end", formatIp(end), `${formatIp(start)}, which is the start, or more`);
  }
  return { name, mac, mode, cidr, start: formatIp(start), end: formatIp(end), nat };
}

/** A name that can be part of a rule, of a configuration and of a path. */
export function bridgeName(name: string): string {
  if (isRuleInterface(name) && /^\w/.test(name) && name !== "default") return name;
  const wanted = "1 to 15 letters, digits, dots, hyphens and underscores, and not default";
  throw unusable("name", name, wanted);
}

/** @throws AgentError `E_BRIDGE` when the network and that of an address of the node overlap. */
export function requireFree(cidr: string, addresses: readonly AddressState[]): void {
  const wanted = parseCidr(cidr);
  const taken = addresses.find(({ address, prefix }) => {
    const other = parseCidr(`${address}/${prefix}`);
    return wanted !== undefined && other !== undefined && overlap(wanted, other);
  });
  if (taken === undefined) return;
  const { address, prefix } = taken;
  const seen = `it overlaps ${address}/${prefix} of ${taken.interface}`;
  throw new AgentError("E_BRIDGE", `Cannot use network ${cidr} for a bridge: ${seen}`);
}

/**
 * Checks an address for one client of the bridge.
 *
 * @throws AgentError `E_BRIDGE` for one that is not of its network.
 */
export function clientAddress({ cidr }: BridgeSettings, text: string): string {
  const network = parseCidr(cidr);
  if (network === undefined) throw unusable("bridge", cidr, "one with a network");
  const bytes = poolAddress("address", text, network);
  if (bytes.equals(network.bytes)) throw unusable("address", text, "one that is not the bridge's");
  return formatIp(bytes);
}

const IPV4_BYTES = 4;
/** A wider network is a slip of the pen, a narrower one has no room for a client. */
const WIDEST = 8;
const NARROWEST = 30;

function bridgeNetwork(text: string): Cidr {
  const cidr = parseCidr(text);
  const isNode =
    cidr?.family === 4 &&
    cidr.prefix >= WIDEST &&
    cidr.prefix <= NARROWEST &&
    isHostOf(cidr, cidr.bytes);
  if (isNode) return cidr;
  const wanted = `ADDRESS/PREFIX of IPv4 such as 10.1.0.1/24, prefix ${WIDEST} to ${NARROWEST}, neither first nor last of its network`;
  throw unusable("settings.cidr", text, wanted);
}

function poolAddress(what: string, text: string, network: Cidr): Buffer {
  const bytes = parseIp(text);
  if (bytes?.length === IPV4_BYTES && isHostOf(network, bytes)) return bytes;
  const shown = `${formatIp(maskedBytes(network.bytes, network.prefix))}/${network.prefix}`;
  throw unusable(what, text, `an address of ${shown}, neither its first nor its last`);
}

function isHostOf({ bytes, prefix }: Cidr, address: Buffer): boolean {
  const first = maskedBytes(bytes, prefix);
  if (!maskedBytes(address, prefix).equals(first)) return false;
  return !address.equals(first) && !address.equals(broadcastBytes(bytes, prefix));
}

function overlap(one: Cidr, other: Cidr): boolean {
  if (one.family !== other.family) return false;
  const prefix = Math.min(one.prefix, other.prefix);
  return maskedBytes(one.bytes, prefix).equals(maskedBytes(other.bytes, prefix));
}

function unusable(what: string, seen: string, wanted: string): AgentError {
  const shown = JSON.stringify(seen.length > 60 ? `${seen.slice(0, 57)}...` : seen);
  return new AgentError("E_BRIDGE", `Cannot use ${what} ${shown} for a bridge, expected ${wanted}`);
}
