import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode } from "../../base/errors.ts";
import { formatManifest, parseManifest } from "../../vault/private-manifest.ts";
import { formatUstar, type UstarEntry } from "../../vault/ustar.ts";
import { placeTree, readTree } from "../../vault/ustar-tree.ts";
import { privateError } from "./errors.ts";

/** What an operator keeps of one machine: `node.json` of its directory. */
export interface StoredNode {
  /** Id at the controller. */
  readonly node: string;
  readonly macs: readonly string[];
  /** SHA-256 of the ciphertext archive, hexadecimal. */
  readonly sha256: string;
  /** Revision the controller gave this ciphertext; 0: it has not been uploaded. */
  readonly revision: number;
  /** Client certificates to revoke once this ciphertext is uploaded, hexadecimal. */
  readonly retiredSerials: readonly string[];
}

export interface Stored {
  readonly record: StoredNode;
  /** 32 bytes in base64. Whoever has it can read the ciphertext. */
  readonly key: string;
  readonly ciphertext: readonly UstarEntry[];
  /** What operators need themselves: password, identity, public keys. */
  readonly access: readonly UstarEntry[];
}

/** Names in the directory of a machine. */
export const STORE = {
  record: "node.json",
  key: "key",
  ciphertext: "ciphertext",
  digests: "ciphertext.sha256",
  access: "access",
} as const;

/**
 * Writes the directory of a machine: built beside, synced, renamed; all of it mode 0700 and 0600.
 * One that is there is replaced.
 */
export function writeStore(directory: string, stored: Stored): void {
  const text = (path: string, content: string): UstarEntry => ({
    kind: "file",
    path,
    isExecutable: false,
    content: Buffer.from(content),
  });
  placeTree(
    [
      text(STORE.record, `${JSON.stringify(stored.record, null, 2)}\n`),
      text(STORE.key, `${stored.key}\n`),
      text(STORE.digests, formatManifest(stored.ciphertext)),
      ...inDirectory(STORE.ciphertext, stored.ciphertext),
      ...inDirectory(STORE.access, stored.access),
    ],
    directory,
  );
}

/**
 * Reads the directory of a machine.
 *
 * @throws AgentError `E_PRIVATE` with the file that is missing or of another form. Whether the
 * ciphertext is the one that was made is asked with {@link changedCiphertext}.
 */
export function readStore(directory: string): Stored {
  const record = readRecord(join(directory, STORE.record));
  const key = readText(join(directory, STORE.key)).trim();
  if (!isKey(key)) {
    throw privateError(
      `Cannot use ${join(directory, STORE.key)}: another text seen, expected 32 bytes in base64`,
    );
  }
  const access = join(directory, STORE.access);
  return {
    record,
    key,
    ciphertext: readCiphertext(join(directory, STORE.ciphertext)),
    access: existsSync(access) ? readTree(access) : [],
  };
}

/** Names of ciphertext files that are not as they were made. */
export function changedCiphertext(directory: string, ciphertext: readonly UstarEntry[]): string[] {
  const expected = parseManifest(readText(join(directory, STORE.digests)));
  if (expected === undefined) return [`${STORE.digests} is damaged`];
  const seen = parseManifest(formatManifest(ciphertext)) ?? new Map<string, string>();
  return [...new Set([...expected.keys(), ...seen.keys()])]
    .filter((path) => expected.get(path) !== seen.get(path))
    .map((path) => {
      if (!seen.has(path)) return `${STORE.ciphertext}/${path} is missing`;
      return `${STORE.ciphertext}/${path} ${expected.has(path) ? "is damaged" : "was added"}`;
    });
}

/** The archive that is uploaded, and its SHA-256. */
export function packCiphertext(ciphertext: readonly UstarEntry[]): {
  readonly archive: Buffer;
  readonly sha256: string;
} {
  const archive = formatUstar(ciphertext);
  return { archive, sha256: createHash("sha256").update(archive).digest("hex") };
}

/** @throws AgentError `E_PRIVATE` where something is in it that a new machine would replace. */
export function checkFree(directory: string): void {
  let found: string[];
  try {
    found = readdirSync(directory);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "ENOENT") {
      throw privateError(`Cannot use --out ${directory}: ${code}, expected a directory`);
    }
    const parent = dirname(directory);
    if (statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return;
    throw privateError(
      `Cannot use --out ${directory}: ${parent} is not a directory; make it first`,
    );
  }
  if (found.length === 0) return;
  throw privateError(
    `Cannot use --out ${directory}: ${found.length} entries seen, expected an empty directory or none`,
  );
}

function readRecord(path: string): StoredNode {
  let value: Partial<Record<keyof StoredNode, unknown>> | null;
  try {
    value = JSON.parse(readText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    value = null;
  }
  const { node, macs, sha256, revision, retiredSerials } = value ?? {};
  if (
    typeof node === "string" &&
    /^[0-9a-z]{1,64}$/.test(node) &&
    isTexts(macs) &&
    typeof sha256 === "string" &&
    Number.isSafeInteger(revision) &&
    isTexts(retiredSerials)
  ) {
    return { node, macs, sha256, revision: Number(revision), retiredSerials };
  }
  throw privateError(`Cannot use ${path}: another form seen, expected what private create wrote`);
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === "string");

const isKey = (text: string): boolean => {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === 32 && bytes.toString("base64") === text;
};

function readCiphertext(directory: string): UstarEntry[] {
  try {
    return readTree(directory);
  } catch (error) {
    throw notThere(directory, error);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw notThere(path, error);
  }
}

function notThere(path: string, error: unknown): Error {
  const code = errorCode(error);
  if (code?.startsWith("E_")) return error as Error;
  return privateError(
    `Cannot read ${path}: ${code === "ENOENT" ? "no such file" : code}, ` +
      `expected the ${basename(path)} that private create wrote`,
  );
}

function inDirectory(name: string, entries: readonly UstarEntry[]): UstarEntry[] {
  const moved = entries.map((entry) => ({ ...entry, path: `${name}/${entry.path}` }));
  return [{ kind: "directory", path: name }, ...moved];
}
