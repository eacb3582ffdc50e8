import { networkInterfaces } from "node:os";
import { runTool } from "./run-tool.ts";

/** Addresses in `ip/prefix` form by link name, in the kernel's order. */
export type LinkAddresses = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the addresses of all links.
 *
 * @param hasIdleLinks Whether a link is not running (down, or without carrier). Node's own list leaves
 *   such links out, so then, and only then, `ip` is asked.
 */
export async function readAddresses(hasIdleLinks: boolean): Promise<LinkAddresses> {
  if (!hasIdleLinks) return fromNode();
  const { status, stdout } = await runTool("ip", ["-json", "address", "show"]);
  // Without iproute2 the addresses of running links are still right.
  return status === 0 ? parseIpAddresses(stdout) : fromNode();
}

/**
 * Parses the output of `ip -json address show`.
 * Source: iproute2, `ip/ipaddress.c`.
 */
export function parseIpAddresses(json: string): LinkAddresses {
  const links = JSON.parse(json) as {
    ifname?: string;
    addr_info?: { local?: string; prefixlen?: number }[];
  }[];
  return new Map(
    links.map(({ ifname = "", addr_info: addresses = [] }) => [
      ifname,
      addresses
        .filter(({ local }) => local !== undefined)
        .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ]),
  );
}

function fromNode(): LinkAddresses {
  const result = new Map<string, string[]>();
  for (const [label, entries = []] of Object.entries(networkInterfaces())) {
    // An address with a label ("eth0:1") is listed under the label; a link name holds no colon.
    const [name = label] = label.split(":");
    const known = result.get(name) ?? [];
    result.set(name, [...known, ...entries.flatMap(({ cidr }) => cidr ?? [])]);
  }
  return result;
}
