import { AgentError, errorCode } from "../base/errors.ts";
import { slowFiles } from "../sys/slow-files.ts";
import { MANIFEST_PATH } from "./private-manifest.ts";
import { readListed } from "./read-private.ts";

export interface PrivateLimits {
  /** Files and directories. */
  readonly entries: number;
  readonly depth: number;
  /** Of all files together. */
  readonly sizeBytes: number;
}

/** What a private configuration holds. */
export interface PrivateContent {
  /** Path to SHA-256 of each file but the manifest, in the order they were listed. */
  readonly digests: ReadonlyMap<string, string>;
  readonly manifest: Buffer | undefined;
}

/**
 * Each question to the process behind the mount takes milliseconds where the processor is emulated, mostly
 * waiting. One of the four threads that files of the agent share stays free, should that process hang.
 */
const AT_A_TIME = 3;

/**
 * Reads everything in a mounted private configuration, several files at a time. Whatever takes longer, what
 * is told depends on the order of the listings alone.
 *
 * @throws AgentError `E_VAULT_FILE` | `E_VAULT_CIPHERTEXT` naming what is wrong; the signal's reason.
 */
export function readContent(
  root: string,
  signal: AbortSignal,
  limits: PrivateLimits,
): Promise<PrivateContent> {
  const asked = new Set<string>();
  return slowFiles.read({
    /** The one that was asked for first of those that have not come. */
    get path(): string {
      return [...asked][0] || "/";
    },
    code: "E_VAULT_FILE",
    work: (progress) => readLevels({ root, signal, limits, asked, progress, bytes: 0 }),
  });
}

interface Walk {
  readonly root: string;
  readonly signal: AbortSignal;
  readonly limits: PrivateLimits;
  /** Paths under way. */
  readonly asked: Set<string>;
  readonly progress: () => void;
  /** Of all files so far. */
  bytes: number;
}

interface Entry {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** What is in a directory, or the content of a file that is there. */
type Found = readonly Entry[] | { readonly sha256: string; readonly manifest: Buffer | undefined };

async function readLevels(walk: Walk): Promise<PrivateContent> {
  const { limits } = walk;
  const digests = new Map<string, string>();
  let manifest: Buffer | undefined;
  let entries = 0;
  let level: readonly Entry[] = [{ path: "", isDirectory: true }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limits.depth && level.some(({ isDirectory }) => isDirectory)) {
      throw tooMuch(`directories deeper than ${limits.depth}`);
    }
    const found = await severalAtATime(level, (entry) => readEntry(walk, entry));
    const next: Entry[] = [];
    for (const [index, { path }] of level.entries()) {
      const one = found[index];
      if (one === undefined) continue;
      if ("sha256" in one) {
        if (path === MANIFEST_PATH) manifest = one.manifest;
        else digests.set(path, one.sha256);
        continue;
      }
      entries += one.length;
      if (entries > limits.entries) throw tooMuch(`more than ${limits.entries} entries`);
      for (const entry of one) next.push(entry);
    }
    level = next;
  }
  return { digests, manifest };
}

/** Undefined for a file that is gone. */
async function readEntry(walk: Walk, entry: Entry): Promise<Found | undefined> {
  const { signal, asked, progress } = walk;
  const { path, isDirectory } = entry;
  signal.throwIfAborted();
  asked.add(path);
  try {
    return isDirectory ? await list(walk, path) : await digest(walk, path);
  } finally {
    asked.delete(path);
    progress();
  }
}

async function list({ root }: Walk, below: string): Promise<readonly Entry[]> {
  const { readdir } = await import("node:fs/promises");
  try {
    const found = await readdir(`${root}/${below}`, { withFileTypes: true });
    return found.map((one) => ({
      path: below === "" ? one.name : `${below}/${one.name}`,
      isDirectory: one.isDirectory(),
    }));
  } catch (error) {
    throw damaged(`${below || "/"} cannot be listed (${errorCode(error)})`);
  }
}

async function digest(walk: Walk, path: string): Promise<Found | undefined> {
  const { root, limits, progress } = walk;
  const content = await readListed(root, path, { limitBytes: limits.sizeBytes, progress });
  if (content === undefined) return undefined;
  walk.bytes += content.length;
  const { createHash } = process.getBuiltinModule("node:crypto");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const isManifest = path === MANIFEST_PATH;
  if (!isManifest) content.fill(0);
  if (walk.bytes > limits.sizeBytes) throw tooMuch(`more than ${limits.sizeBytes} bytes`);
  return { sha256, manifest: isManifest ? content : undefined };
}

/**
 * Begins with nothing new once one has failed, and ends when nothing is under way any more.
 *
 * @throws What the first of the items threw that failed: those before it were begun earlier.
 */
async function severalAtATime<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const failures: { readonly index: number; readonly error: unknown }[] = [];
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < items.length && failures.length === 0) {
      const index = begun;
      begun += 1;
      try {
        results[index] = await run(items[index] as T);
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const [first] = failures.toSorted((one, other) => one.index - other.index);
  if (first !== undefined) throw first.error;
  return results;
}

export const damaged = (why: string): AgentError =>
  new AgentError("E_VAULT_CIPHERTEXT", `the ciphertext is damaged: ${why}`);

const tooMuch = (seen: string): AgentError =>
  new AgentError("E_VAULT_FILE", `Cannot read the private configuration: ${seen}`);
