import type { LinkState } from "../../sys/network-state.ts";
import { readTextAsync } from "../../sys/proc/read-text.ts";
import type { Sample } from "../types.ts";
import { numbersOf, physical } from "./sample.ts";

const BYTES_PER_MIB = 1_048_576;
const KINDS: readonly string[] = ["device", "bridge", "openvswitch"];
const NEVER: readonly string[] = ["lo", "ovs-system"];
/** Links of containers that asked to be watched (wire protocol 10.4). */
const WATCHED_VETH = "contm";

/**
 * Samples of the links that are watched, from the text of `/proc/net/dev`.
 * Source: proc(5): receive bytes and packets are columns 1 and 2, those of transmit 9 and 10.
 */
export function networkSamples(
  text: string,
  links: readonly Pick<LinkState, "name" | "kind">[],
): Sample[] {
  const kinds = new Map(links.filter(isWatched).map(({ name, kind }) => [name, kind]));
  return text.split("\n").flatMap((line) => {
    const colon = line.indexOf(":");
    const id = line.slice(0, Math.max(0, colon)).trim();
    const kind = kinds.get(id);
    if (kind === undefined) return [];
    const columns = numbersOf(
      line
        .slice(colon + 1)
        .trim()
        .split(/\s+/),
    );
    const [received = 0, rx = 0, , , , , , , sent = 0, tx = 0] = columns;
    const values: Readonly<Record<string, number>> = {
      "network.throughput.outgoing": sent / BYTES_PER_MIB,
      "network.throughput.incoming": received / BYTES_PER_MIB,
      "network.packets.tx": tx,
      "network.packets.rx": rx,
    };
    return Object.entries(values).map(([metric, value]) =>
      physical({ op: "D", metric, value, id, tags: [["kind", kind]] }),
    );
  });
}

function isWatched({ name, kind }: Pick<LinkState, "name" | "kind">): boolean {
  if (NEVER.includes(name)) return false;
  return KINDS.includes(kind) || (kind === "veth" && name.startsWith(WATCHED_VETH));
}

/** @param links The links of the node, with their kinds. */
export async function sampleNetwork(links: () => Promise<readonly LinkState[]>): Promise<Sample[]> {
  return networkSamples((await readTextAsync("/proc/net/dev")) ?? "", await links());
}
