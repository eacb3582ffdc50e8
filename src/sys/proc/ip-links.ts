import { type Link, shownAddress } from "./link.ts";

/** Members of `ip -json address show` that are used. */
interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly operstate: string;
  readonly address?: string;
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

/** Flags as `ip` prints them, under the names of `info.nic` and in its order. */
const FLAGS = [
  ["UP", "up"],
  ["BROADCAST", "broadcast"],
  ["LOOPBACK", "loopback"],
  ["POINTOPOINT", "pointtopoint"],
  ["MULTICAST", "multicast"],
] as const;

/**
 * Parses the output of `ip -json address show`; the speed, which it does not tell, is 0.
 * Source: iproute2, `ip/ipaddress.c`.
 */
export function parseIpLinks(json: string): Link[] {
  const links = JSON.parse(json) as Partial<IpLink>[];
  return links
    .filter((link): link is IpLink => link.ifname !== undefined)
    .sort((a, b) => a.ifindex - b.ifindex)
    .map(toLink);
}

function toLink(link: IpLink): Link {
  const flags = FLAGS.filter(([flag]) => link.flags.includes(flag)).map(([, name]) => name);
  const addresses = (link.addr_info ?? []).filter(({ local }) => local !== undefined);
  return {
    mtu: link.mtu,
    name: link.ifname,
    hardwareaddr: shownAddress(link.address ?? ""),
    flags: flags.length === 0 ? null : flags,
    addrs: addresses.map(({ local, prefixlen }) => ({ addr: `${local}/${prefixlen}` })),
    speed: 0,
    carrier: link.flags.includes("LOWER_UP"),
    operstate: link.operstate === "UP",
  };
}
