import { object, string } from "../base/schema.ts";
import { CommandError } from "../command/command.ts";
import { type Cidr, familyOf, formatIp, parseCidr, parseIp } from "../sys/netlink/ip-text.ts";
import type { Family, LinkState, NetworkState } from "../sys/network-state.ts";

/** What the `ip.*` commands have in common: how their arguments are read. Every mistake is code 500. */

export const linkName = (description = "Name of the link") => string({ description });

export const linkAndAddress = () =>
  object({ name: linkName(), ip: string({ description: "IP/PREFIX, for example 10.0.0.1/24" }) }, [
    "name",
    "ip",
  ]);

/** The link of that name. @param code 500, or 404 where the command says so. */
export function findLink(state: NetworkState, name: string, code = 500): LinkState {
  const link = state.links.find((one) => one.name === name);
  if (link !== undefined) return link;
  throw new CommandError(code, `Cannot find link ${JSON.stringify(name)}: there is none`);
}

export function findBridge(state: NetworkState, name: string): LinkState {
  const link = findLink(state, name);
  if (link.kind === "bridge") return link;
  throw new CommandError(500, `Cannot use ${name}: kind ${link.kind} seen, expected bridge`);
}

/** A name the kernel takes for a new link; its own refusal does not say what is wrong with it. */
export function newLinkName(name: string): string {
  const isGood =
    name !== "" &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES &&
    name !== "." &&
    name !== ".." &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they have to be found
    !/[/:\s\u0000-\u001f%]/.test(name);
  if (isGood) return name;
  throw new CommandError(
    500,
    `Cannot name a link ${JSON.stringify(name)}, expected 1 to 15 bytes without blank, colon, slash or %`,
  );
}

/** Lower case with colons; empty means none was given. Hyphens are taken for colons. */
export function macAddress(text: string): string | undefined {
  if (text === "") return undefined;
  const mac = text.toLowerCase().replaceAll("-", ":");
  if (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac)) return mac;
  throw new CommandError(
    500,
    `Cannot use MAC address ${JSON.stringify(text)}, expected six bytes such as 02:00:00:12:34:56`,
  );
}

/** `ADDRESS/PREFIX` with its host bits. */
export function interfaceAddress(text: string): { address: string; prefix: number } {
  const { bytes, prefix } = cidr(text, "address");
  return { address: formatIp(bytes), prefix };
}

export function cidr(text: string, what: "address" | "network"): Cidr {
  const parsed = parseCidr(text);
  if (parsed !== undefined) return parsed;
  throw new CommandError(
    500,
    `Cannot use ${what} ${JSON.stringify(text)}, expected IP/PREFIX such as 10.0.0.1/24 or fd00::1/64`,
  );
}

/** Null where none was given. */
export function gateway(text: string): { address: string; family: Family } | null {
  if (text === "") return null;
  const bytes = parseIp(text);
  if (bytes !== undefined) return { address: formatIp(bytes), family: familyOf(bytes) };
  throw new CommandError(
    500,
    `Cannot use gateway ${JSON.stringify(text)}, expected an IP address such as 10.0.0.1`,
  );
}

const MAX_NAME_BYTES = 15;
