import { AgentError } from "../../base/errors.ts";
import type { NodeRecord } from "../types.ts";

const MAC = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;

/**
 * The machine an operator means.
 *
 * @param word Its id, the beginning of its id, or one of its MAC addresses.
 * @throws AgentError `E_NODE_UNKNOWN` | `E_NODE_AMBIGUOUS`
 */
export function findNode(nodes: readonly NodeRecord[], word: string): NodeRecord {
  const found = MAC.test(word) ? withMac(nodes, normalMac(word)) : withId(nodes, word);
  const [first, ...others] = found;
  if (first === undefined) {
    throw new AgentError(
      "E_NODE_UNKNOWN",
      `Cannot find the machine ${word}: none of ${nodes.length}, expected an id, its beginning, or a MAC address`,
    );
  }
  if (others.length > 0) {
    const ids = found.slice(0, 5).map(({ id }) => id);
    throw new AgentError(
      "E_NODE_AMBIGUOUS",
      `Cannot tell which machine ${word} is: ${found.length} begin with it (${ids.join(", ")}${
        found.length > ids.length ? " …" : ""
      }), expected one`,
    );
  }
  return first;
}

/** Lower case with colons, as the controller stores them. */
export function normalMac(text: string): string {
  return text.toLowerCase().replaceAll("-", ":");
}

function withMac(nodes: readonly NodeRecord[], mac: string): NodeRecord[] {
  return nodes.filter(({ macs }) => macs.includes(mac));
}

function withId(nodes: readonly NodeRecord[], word: string): NodeRecord[] {
  if (word === "") return [];
  const exact = nodes.filter(({ id }) => id === word);
  return exact.length > 0 ? exact : nodes.filter(({ id }) => id.startsWith(word));
}
