import type { Files } from "../sys/files.ts";
import { formatIp, parseCidr, parseIp } from "../sys/netlink/ip-text.ts";
import type { BridgeRecord } from "./bridge-records.ts";

/** Leases dnsmasq holds at most, whatever the size of the network. */
const MAX_LEASES = 65_536;
const LEASE_TIME = "1h";
/** First of these that is a user of the node; dnsmasq gives up root for it once its ports are open. */
const USERS = ["dnsmasq", "nobody"];

/** Where the files of one name server are. */
export function dnsmasqPaths(stateDir: string, bridge: string): { config: string; leases: string } {
  const directory = `${stateDir}/bridges`;
  return { config: `${directory}/${bridge}.conf`, leases: `${directory}/${bridge}.leases` };
}

/** The words behind `dnsmasq`. Paths are here, where nothing has to be quoted. */
export function dnsmasqArguments(stateDir: string, bridge: string): string[] {
  const { config, leases } = dnsmasqPaths(stateDir, bridge);
  return ["--keep-in-foreground", `--conf-file=${config}`, `--dhcp-leasefile=${leases}`];
}

/**
 * Configuration of the name server of one bridge, which gives addresses away in mode `dnsmasq`. All
 * of it was checked when the record was made. It is read before root is given up, so fixed addresses stand in it
 * and not in a directory that another user had to be let into.
 *
 * Source: dnsmasq(8).
 */
export function buildDnsmasqConfig(record: BridgeRecord, user: string | undefined): string {
  const { name, mode, hosts } = record;
  return [
    `interface=${name}`,
    "except-interface=lo",
    // Others on the node may be name servers too: nothing but this bridge is listened on.
    "bind-interfaces",
    // Names of the node itself are nobody's business there.
    "no-hosts",
    "pid-file=",
    "log-facility=-",
    ...(user === undefined ? [] : [`user=${user}`]),
    ...(mode === "dnsmasq" ? buildDhcp(record) : []),
    ...hosts.map(({ mac, ip }) => `dhcp-host=${mac},${ip}`),
    "",
  ].join("\n");
}

export function findDnsmasqUser(files: Files): string | undefined {
  const users = (files.readText("/etc/passwd") ?? "").split("\n").map((line) => line.split(":")[0]);
  return USERS.find((user) => users.includes(user));
}

function buildDhcp({ cidr, start, end }: BridgeRecord): string[] {
  const { bytes, prefix } = parseCidr(cidr) ?? { bytes: Buffer.alloc(4), prefix: 0 };
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(2 ** 32 - 2 ** (32 - prefix));
  const address = formatIp(bytes);
  const size = numberOf(end) - numberOf(start) + 1;
  return [
    `dhcp-range=${start},${end},${formatIp(mask)},${LEASE_TIME}`,
    `dhcp-option=option:router,${address}`,
    `dhcp-option=option:dns-server,${address}`,
    // There is no other server: a client that asks for an old address is answered at once.
    "dhcp-authoritative",
    `dhcp-lease-max=${Math.min(size + MAX_FIXED, MAX_LEASES)}`,
  ];
}

/** Fixed addresses may lie outside the range. */
const MAX_FIXED = 1024;

function numberOf(address: string): number {
  return parseIp(address)?.readUInt32BE() ?? 0;
}
