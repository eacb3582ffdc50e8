import { AgentError, errorCode } from "../base/errors.ts";
import { PRIVATE_FILES } from "./controller-api.ts";
import { readPrivate } from "./read-private.ts";

export interface PrivateLimits {
  readonly files: number;
  readonly depth: number;
  /** Of all files together. */
  readonly sizeBytes: number;
}

export const PRIVATE_LIMITS: PrivateLimits = {
  files: 10_000,
  depth: 16,
  sizeBytes: 64 * 1024 * 1024,
};

/** Without these the mount is of no use. */
const NEEDED = [PRIVATE_FILES.clientCertificate, PRIVATE_FILES.clientKey];

/** Files of gocryptfs itself: what stands in the ciphertext for no file of the plain tree. */
const OWN = /^gocryptfs\.(conf|diriv|longname\.[\w-]+\.name)$/;

interface Tally {
  entries: number;
  sizeBytes: number;
}

/**
 * Reads everything in a mounted private configuration once, so that damage is found at the boot and not
 * when a file is needed. gocryptfs leaves out names it cannot decrypt, so the entries are counted on both
 * sides, and names have to be printable.
 *
 * @returns Number of files and directories.
 * @throws AgentError `E_VAULT_FILE` | `E_VAULT_CIPHERTEXT` naming what is wrong.
 */
export async function verifyPrivate(
  directories: { readonly ciphertext: string; readonly mountpoint: string },
  signal: AbortSignal,
  limits: PrivateLimits = PRIVATE_LIMITS,
): Promise<number> {
  const { ciphertext, mountpoint } = directories;
  const plain: Tally = { entries: 0, sizeBytes: 0 };
  const walk = { root: mountpoint, tally: plain, limits, signal };
  await visit(walk, "", 0);
  const expected = await countEntries(ciphertext, limits, signal);
  if (plain.entries !== expected) {
    const seen = `${expected - plain.entries} of ${expected} names cannot be decrypted`;
    throw new AgentError("E_VAULT_CIPHERTEXT", `the ciphertext is damaged: ${seen}`);
  }
  for (const path of NEEDED) {
    const content = await readPrivate(mountpoint, path, limits.sizeBytes);
    if (content === undefined) {
      throw new AgentError("E_VAULT_FILE", `the private configuration has no ${path}`);
    }
    content.fill(0);
  }
  return plain.entries;
}

interface Walk {
  readonly root: string;
  readonly tally: Tally;
  readonly limits: PrivateLimits;
  readonly signal: AbortSignal;
}

async function visit(walk: Walk, below: string, depth: number): Promise<void> {
  const { root, tally, limits, signal } = walk;
  if (depth > limits.depth) throw tooMuch(`directories deeper than ${limits.depth}`);
  for (const found of await list(root, below)) {
    signal.throwIfAborted();
    const path = below === "" ? found.name : `${below}/${found.name}`;
    if (!/^[\x20-\x7e]+$/.test(found.name)) {
      const message = `the ciphertext is damaged: a name in ${below || "/"} is not text`;
      throw new AgentError("E_VAULT_CIPHERTEXT", message);
    }
    tally.entries += 1;
    if (tally.entries > limits.files) throw tooMuch(`more than ${limits.files} files`);
    if (found.isDirectory()) {
      await visit(walk, path, depth + 1);
      continue;
    }
    const content = await readPrivate(root, path, limits.sizeBytes - tally.sizeBytes);
    tally.sizeBytes += content?.length ?? 0;
    content?.fill(0);
  }
}

async function list(root: string, below: string) {
  const { readdir } = await import("node:fs/promises");
  try {
    return await readdir(`${root}/${below}`, { withFileTypes: true });
  } catch (error) {
    const message = `Cannot list ${below || "/"}: its ciphertext is damaged (${errorCode(error)})`;
    throw new AgentError("E_VAULT_FILE", message);
  }
}

/** Entries of the plain tree there have to be, by the names of the ciphertext. */
async function countEntries(
  directory: string,
  limits: PrivateLimits,
  signal: AbortSignal,
): Promise<number> {
  const { readdir } = await import("node:fs/promises");
  const visitCipher = async (path: string, depth: number): Promise<number> => {
    signal.throwIfAborted();
    if (depth > limits.depth) throw tooMuch(`directories deeper than ${limits.depth}`);
    let count = 0;
    for (const found of await readdir(path, { withFileTypes: true })) {
      if (OWN.test(found.name)) continue;
      count += 1;
      if (found.isDirectory()) count += await visitCipher(`${path}/${found.name}`, depth + 1);
    }
    return count;
  };
  return visitCipher(directory, 0);
}

const tooMuch = (seen: string): AgentError =>
  new AgentError("E_VAULT_FILE", `Cannot read the private configuration: ${seen}`);
