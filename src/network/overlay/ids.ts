const NETWORK = /^[0-9a-f]{16}$/;
const NODE = /^[0-9a-f]{10}$/;

/** What a network id looks like, for messages. */
export const NETWORK_ID_FORM = "16 hexadecimal digits, for example 8056c2e21c000001";

/** The id in lower case; undefined for a text that is none. */
export function parseNetworkId(text: string): string | undefined {
  const id = text.toLowerCase();
  return NETWORK.test(id) ? id : undefined;
}

/** 10 lower-case hexadecimal digits: the address of one ZeroTier node. */
export function isNodeId(value: unknown): value is string {
  return typeof value === "string" && NODE.test(value);
}
