import { AgentError, errorCode } from "../base/errors.ts";
import { slowFiles } from "../sys/slow-files.ts";
import { PRIVATE_FILES } from "./controller-api.ts";
import { MANIFEST_PATH, parseManifest } from "./private-manifest.ts";
import { readListed } from "./read-private.ts";

export interface PrivateLimits {
  /** Files and directories. */
  readonly entries: number;
  readonly depth: number;
  /** Of all files together. */
  readonly sizeBytes: number;
}

export const PRIVATE_LIMITS: PrivateLimits = {
  entries: 10_000,
  depth: 16,
  sizeBytes: 64 * 1024 * 1024,
};

/** Without these the mount is of no use. */
const NEEDED = [PRIVATE_FILES.clientCertificate, PRIVATE_FILES.clientKey];
/** So many differences are told one by one. */
const SHOWN = 3;

/**
 * Reads everything in a mounted private configuration once, so that damage is found at the boot and not
 * when a file is needed, and compares it with the manifest in it: gocryptfs notices a damaged block, but
 * leaves out names it cannot decrypt and ends a file early that was cut between two blocks.
 *
 * @returns Number of files.
 * @throws AgentError `E_VAULT_FILE` | `E_VAULT_CIPHERTEXT` naming what is wrong; the signal's reason.
 */
export async function verifyPrivate(
  mountpoint: string,
  signal: AbortSignal,
  limits: PrivateLimits = PRIVATE_LIMITS,
): Promise<number> {
  const walk: Walk = { root: mountpoint, limits, signal, digests: new Map(), entries: 0, bytes: 0 };
  await visit(walk, "", 0);
  const manifest = await readListed(mountpoint, MANIFEST_PATH, limits.sizeBytes);
  const expected = manifest === undefined ? undefined : parseManifest(manifest.toString("utf8"));
  if (expected === undefined) throw damaged(`${MANIFEST_PATH} is missing or damaged`);
  walk.digests.delete(MANIFEST_PATH);
  const names = [...new Set([...expected.keys(), ...walk.digests.keys()])];
  const wrong = names.filter((path) => expected.get(path) !== walk.digests.get(path));
  if (wrong.length > 0) throw damaged(describe(wrong, expected, walk.digests));
  const missing = NEEDED.filter((path) => !expected.has(path));
  if (missing.length > 0) {
    const message = `the private configuration has no ${missing.join(" and no ")}`;
    throw new AgentError("E_VAULT_FILE", message);
  }
  return expected.size;
}

interface Walk {
  readonly root: string;
  readonly limits: PrivateLimits;
  readonly signal: AbortSignal;
  /** Path to SHA-256 of each file. */
  readonly digests: Map<string, string>;
  entries: number;
  bytes: number;
}

async function visit(walk: Walk, below: string, depth: number): Promise<void> {
  const { root, limits, signal, digests } = walk;
  if (depth > limits.depth) throw tooMuch(`directories deeper than ${limits.depth}`);
  for (const found of await list(root, below)) {
    signal.throwIfAborted();
    const path = below === "" ? found.name : `${below}/${found.name}`;
    walk.entries += 1;
    if (walk.entries > limits.entries) throw tooMuch(`more than ${limits.entries} entries`);
    if (found.isDirectory()) {
      await visit(walk, path, depth + 1);
      continue;
    }
    const content = await readListed(root, path, limits.sizeBytes - walk.bytes);
    if (content === undefined) continue;
    walk.bytes += content.length;
    digests.set(path, sha256Of(content));
    content.fill(0);
  }
}

async function list(root: string, below: string) {
  const { readdir } = await import("node:fs/promises");
  const path = below || "/";
  return slowFiles.read({
    path,
    code: "E_VAULT_FILE",
    work: async () => {
      try {
        return await readdir(`${root}/${below}`, { withFileTypes: true });
      } catch (error) {
        throw damaged(`${path} cannot be listed (${errorCode(error)})`);
      }
    },
  });
}

function describe(
  wrong: readonly string[],
  expected: ReadonlyMap<string, string>,
  seen: ReadonlyMap<string, string>,
): string {
  const texts = wrong.slice(0, SHOWN).map((path) => {
    if (!seen.has(path)) return `${path} is missing`;
    return expected.has(path) ? `${path} is damaged` : `${plain(path)} does not belong there`;
  });
  const rest = wrong.length - texts.length;
  return `${texts.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`;
}

const sha256Of = (bytes: Uint8Array): string =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");

/** A name that was decrypted wrongly may be anything. */
const plain = (path: string): string => path.replaceAll(/[^\x20-\x7e]+/g, "?").slice(0, 80);

const damaged = (why: string): AgentError =>
  new AgentError("E_VAULT_CIPHERTEXT", `the ciphertext is damaged: ${why}`);

const tooMuch = (seen: string): AgentError =>
  new AgentError("E_VAULT_FILE", `Cannot read the private configuration: ${seen}`);
