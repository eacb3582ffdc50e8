import { networkInterfaces } from "node:os";
import { type Link, shownAddress } from "./link.ts";
import { readNames, readTextAsync } from "./read-text.ts";

/** Texts of the files below `/sys/class/net/<name>`, without trailing newline. */
export interface LinkFiles {
  readonly name: string;
  readonly ifindex: string;
  readonly mtu: string;
  readonly address: string;
  readonly flags: string;
  readonly speed: string;
  readonly carrier: string;
  readonly operstate: string;
}

/** `IFF_*` of kernel, `include/uapi/linux/if.h`, under the names of `info.nic` and in its order. */
const FLAGS = [
  [0x1, "up"],
  [0x2, "broadcast"],
  [0x8, "loopback"],
  [0x10, "pointtopoint"],
  [0x1000, "multicast"],
] as const;

/** Links as `/sys` shows them, by kernel index, with the addresses that Node knows. */
export async function readSysfsLinks(): Promise<Link[]> {
  const files = await Promise.all(readNames("/sys/class/net").map(readLinkFiles));
  const addresses = readAddresses();
  return (
    files
      // A link may vanish meanwhile; `bonding_masters` is no link at all.
      .filter(({ ifindex }) => ifindex !== "")
      .sort((a, b) => Number(a.ifindex) - Number(b.ifindex))
      .map((link) => toLink(link, addresses.get(link.name) ?? []))
  );
}

/** The link that a set of files describes. */
export function toLink(files: LinkFiles, addresses: readonly string[]): Link {
  const bits = Number(files.flags);
  const flags = FLAGS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  return {
    mtu: Number(files.mtu),
    name: files.name,
    hardwareaddr: shownAddress(files.address),
    flags: flags.length === 0 ? null : flags,
    addrs: addresses.map((addr) => ({ addr })),
    speed: Number(files.speed) || 0,
    carrier: files.carrier === "1",
    operstate: files.operstate === "up",
  };
}

/**
 * Off the main thread: some of these files wait for the lock that a driver holds while it brings a
 * card up. Files that refuse (`speed` and `carrier` of a link that is down) count as empty.
 */
async function readLinkFiles(name: string): Promise<LinkFiles> {
  const read = async (file: string): Promise<string> =>
    ((await readTextAsync(`/sys/class/net/${name}/${file}`)) ?? "").trim();
  return {
    name,
    ifindex: await read("ifindex"),
    mtu: await read("mtu"),
    address: await read("address"),
    flags: await read("flags"),
    speed: await read("speed"),
    carrier: await read("carrier"),
    operstate: await read("operstate"),
  };
}

/** Addresses in `ip/prefix` form by link name, in the kernel's order. */
function readAddresses(): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const [label, entries = []] of Object.entries(networkInterfaces())) {
    // An address with a label ("eth0:1") is listed under the label; a link name holds no colon.
    const [name = label] = label.split(":");
    const known = result.get(name) ?? [];
    result.set(name, [...known, ...entries.flatMap(({ cidr }) => cidr ?? [])]);
  }
  return result;
}
