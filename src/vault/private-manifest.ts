import { createHash } from "node:crypto";
import type { UstarEntry } from "./ustar.ts";

/** In the private configuration itself: what belongs to it, as `sha256sum` writes it. */
export const MANIFEST_PATH = "manifest.sha256";

/**
 * Lists the files of a private configuration with their digests. gocryptfs proves what a file holds,
 * but not that files are there, whole and under their own names: a damaged `gocryptfs.diriv` hides
 * a directory, and a file cut between two blocks is only shorter. The manifest shows both.
 */
export function formatManifest(entries: readonly UstarEntry[]): string {
  return digestLines(entries)
    .map(([path, digest]) => `${digest}  ${path}\n`)
    .join("");
}

/**
 * Compares files with the manifest among them.
 *
 * @returns What differs, one text for each file; empty: all is as it was made.
 */
export function checkManifest(entries: readonly UstarEntry[]): string[] {
  const manifest = entries.find(({ path }) => path === MANIFEST_PATH);
  if (manifest?.kind !== "file") return [`${MANIFEST_PATH} is missing`];
  const expected = parseManifest(Buffer.from(manifest.content).toString("utf8"));
  if (expected === undefined) return [`${MANIFEST_PATH} is damaged`];
  const seen = new Map(digestLines(entries));
  const missing = [...expected.keys()].filter((path) => !seen.has(path));
  const changed = [...seen].filter(([path, digest]) => expected.get(path) !== digest);
  return [
    ...missing.map((path) => `${path} is missing`),
    ...changed.map(([path]) =>
      expected.has(path) ? `${path} is damaged` : `${path} does not belong there`,
    ),
  ];
}

/** Path to digest of a text in the form of {@link formatManifest}; undefined where a line is not. */
export function parseManifest(text: string): Map<string, string> | undefined {
  const digests = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, digest, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (digest === undefined || path === undefined) return undefined;
    digests.set(path, digest);
  }
  return digests;
}

function digestLines(entries: readonly UstarEntry[]): [string, string][] {
  return entries
    .flatMap((entry): [string, string][] =>
      entry.kind === "file" && entry.path !== MANIFEST_PATH
        ? [[entry.path, createHash("sha256").update(entry.content).digest("hex")]]
        : [],
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
