import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";

/** Base addresses of the two Debian archives, without a slash at the end. */
export interface Mirror {
  readonly main: string;
  readonly security: string;
}

/**
 * Finds the Debian mirror this machine itself uses.
 *
 * @param aptDir apt's configuration directory, normally `/etc/apt`.
 * @param given Address from `--debian-mirror`; its security archive is expected beside it.
 * @throws AgentError `E_IMAGE_MIRROR` when none is configured.
 */
export async function findMirror(aptDir: string, given?: string): Promise<Mirror> {
  if (given !== undefined) return pairUp([given]);
  const sources = await readSources(aptDir);
  const addresses = sources.filter(isDebianArchive);
  if (addresses.length === 0) {
    throw new AgentError(
      "E_IMAGE_MIRROR",
      `Cannot choose a Debian mirror: ${aptDir} names none, expected one there or --debian-mirror URL`,
    );
  }
  return pairUp(addresses);
}

/** Addresses named by a one-line-style `sources.list` (sources.list(5)). */
export function parseSourcesList(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const found = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s/.exec(line);
    return found?.[1] === undefined ? [] : [found[1]];
  });
}

/** Addresses named by a deb822-style `.sources` file (sources.list(5)); disabled stanzas are left out. */
export function parseDeb822Sources(text: string): string[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = parseStanza(stanza);
    const isWanted = fields.get("types")?.split(/\s+/).includes("deb") === true;
    if (!isWanted || /^(no|false|0|off|disable)$/i.test(fields.get("enabled") ?? "yes")) return [];
    return (fields.get("uris") ?? "").split(/\s+/).filter((uri) => uri !== "");
  });
}

/** One deb822 paragraph: lower-case field name to value, continuation lines joined by a newline. */
export function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = "";
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#") || line.trim() === "") continue;
    if (/^\s/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.trim()}`.trim());
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    current = line.slice(0, colon).toLowerCase();
    fields.set(current, line.slice(colon + 1).trim());
  }
  return fields;
}

/** The security archive of a mirror has its own name; where only one is known the other is derived. */
export function pairUp(addresses: readonly string[]): Mirror {
  const bases = addresses.map((address) => address.replace(/\/+$/, ""));
  const main = bases.find((base) => !isSecurity(base));
  const security = bases.find(isSecurity);
  if (main !== undefined) return { main, security: security ?? `${main}-security` };
  const only = security ?? "";
  return { main: only.replace(/-security$/, ""), security: only };
}

const isSecurity = (base: string): boolean => base.endsWith("-security");

/** `…/debian` and `…/debian-security`, the directory names every mirror of the archive uses. */
function isDebianArchive(address: string): boolean {
  return /^(https?|mirror\+file|file|copy):.*\/debian(-security)?\/?$/.test(address);
}

async function readSources(aptDir: string): Promise<string[]> {
  const partsDir = join(aptDir, "sources.list.d");
  const parts = (await readdir(partsDir).catch(() => []))
    .sort()
    .map((name) => join(partsDir, name));
  const addresses: string[] = [];
  for (const file of [join(aptDir, "sources.list"), ...parts]) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (file.endsWith(".list")) addresses.push(...parseSourcesList(text));
    else if (file.endsWith(".sources")) addresses.push(...parseDeb822Sources(text));
  }
  return addresses;
}
