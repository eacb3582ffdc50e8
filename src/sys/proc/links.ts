import { parseIpLinks } from "./ip-links.ts";
import { type Link, shownAddress } from "./link.ts";
import { readTextAsync } from "./read-text.ts";
import { runTool } from "./run-tool.ts";
import { readSysfsLinks } from "./sysfs-links.ts";

/**
 * All links of the agent's network namespace, by kernel index, with their addresses.
 *
 * `ip` is asked first: it is right in every namespace, while `/sys` shows the namespace it was mounted
 * in, and Node's own list leaves out links that are down or without carrier. Where iproute2 is not
 * installed these two have to do.
 */
export async function readLinks(): Promise<Link[]> {
  const { status, stdout } = await runTool("ip", ["-json", "address", "show"]);
  if (status !== 0) return readSysfsLinks();
  return Promise.all(parseIpLinks(stdout).map(withSpeed));
}

/** Only drivers know the speed, and only `/sys` tells it; the address shows that it is the same link. */
async function withSpeed(link: Link): Promise<Link> {
  const directory = `/sys/class/net/${link.name}`;
  const address = ((await readTextAsync(`${directory}/address`)) ?? "").trim();
  if (shownAddress(address) !== link.hardwareaddr) return link;
  return { ...link, speed: Number((await readTextAsync(`${directory}/speed`)) ?? 0) || 0 };
}
