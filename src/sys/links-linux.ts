import type { Files } from "./files.ts";
import type { DefaultRoute, Link, Links } from "./links.ts";

const CLASS = "/sys/class/net";
const ARPHRD_ETHER = 1;
const IFF_UP = 1;
const IFF_LOOPBACK = 8;
const RTF_UP = 1;

/**
 * Links through sysfs and /proc/net: no helper process and no netlink socket, because this runs on
 * the way to the first answer of the machine.
 */
export function linuxLinks(files: Files): Links {
  return {
    list: () =>
      files
        .list(CLASS)
        .flatMap((name) => readLink(files, name) ?? [])
        .sort((one, other) => one.index - other.index),
    setUp: (name) => setLinkUp(files, name),
    defaultRoutes: () => parseDefaultRoutes(files.readText("/proc/net/route") ?? ""),
  };
}

/** Also for `lo`: the kernel gives it 127.0.0.1/8 and ::1 when it goes up. */
export function setLinkUp(files: Files, name: string): void {
  const flags = readFlags(files, name) ?? 0;
  if ((flags & IFF_UP) === 0) {
    files.writeText(`${CLASS}/${name}/flags`, `0x${(flags | IFF_UP).toString(16)}`);
  }
}

/**
 * The IPv4 default routes in the text of /proc/net/route, best metric first.
 *
 * Source: proc(5); addresses are hexadecimal numbers in the byte order of the host.
 */
export function parseDefaultRoutes(text: string): DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (name === undefined || gateway === undefined || mask === undefined) continue;
    const isUp = (Number.parseInt(flags ?? "", 16) & RTF_UP) !== 0;
    if (!isUp || destination !== "00000000" || mask !== "00000000") continue;
    routes.push({ interface: name, gateway: dotted(gateway), metric: Number(metric) });
  }
  return routes.sort((one, other) => one.metric - other.metric);
}

/** Undefined when the interface vanished between listing and reading, and for loopback. */
function readLink(files: Files, name: string): Link | undefined {
  const folder = `${CLASS}/${name}`;
  const flags = readFlags(files, name);
  if (flags === undefined || (flags & IFF_LOOPBACK) !== 0) return undefined;
  const read = (entry: string): string => (files.readText(`${folder}/${entry}`) ?? "").trim();
  return {
    name,
    index: Number(read("ifindex")),
    mac: read("address"),
    isPhysical: Number(read("type")) === ARPHRD_ETHER && files.exists(`${folder}/device`),
    isUp: (flags & IFF_UP) !== 0,
    hasCarrier: read("carrier") === "1",
  };
}

function readFlags(files: Files, name: string): number | undefined {
  const text = files.readText(`${CLASS}/${name}/flags`);
  return text === undefined ? undefined : Number.parseInt(text, 16);
}

function dotted(littleEndianHex: string): string {
  const value = Number.parseInt(littleEndianHex, 16);
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff).join(".");
}
