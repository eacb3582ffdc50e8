import { readAddresses } from "./addresses.ts";
import { readNames, readTextAsync } from "./read-text.ts";

/** One network link, in the shape of `info.nic`. */
export interface Link {
  readonly mtu: number;
  readonly name: string;
  /** Empty if there is none or it is all zero. */
  readonly hardwareaddr: string;
  /** Null when no flag is set. */
  readonly flags: readonly string[] | null;
  readonly addrs: readonly { readonly addr: string }[];
  /** Mbit/s; 0 or -1 if unknown. */
  readonly speed: number;
  readonly carrier: boolean;
  /** True only when the kernel says "up". */
  readonly operstate: boolean;
}

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

const IFF_UP = 0x1;

/** All links of the agent's network namespace, by kernel index, with their addresses. */
export async function readLinks(): Promise<Link[]> {
  const names = readNames("/sys/class/net");
  const files = (await Promise.all(names.map(readLinkFiles)))
    // A link may vanish meanwhile; `bonding_masters` is no link at all.
    .filter(({ ifindex }) => ifindex !== "")
    .sort((a, b) => Number(a.ifindex) - Number(b.ifindex));
  const addresses = await readAddresses(!files.every(isRunning));
  return files.map((link) => toLink(link, addresses.get(link.name) ?? []));
}

/** The link that a set of files describes. */
export function toLink(files: LinkFiles, addresses: readonly string[]): Link {
  const bits = Number(files.flags);
  const flags = FLAGS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  return {
    mtu: Number(files.mtu),
    name: files.name,
    hardwareaddr: /[1-9a-f]/.test(files.address) ? files.address : "",
    flags: flags.length === 0 ? null : flags,
    addrs: addresses.map((addr) => ({ addr })),
    speed: Number(files.speed) || 0,
    carrier: files.carrier === "1",
    operstate: files.operstate === "up",
  };
}

/** The kernel's own rule for `IFF_RUNNING`, which sysfs does not show (`net/core/dev.c`). */
function isRunning({ flags, operstate }: LinkFiles): boolean {
  return (Number(flags) & IFF_UP) !== 0 && (operstate === "up" || operstate === "unknown");
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
