import { constants, type Stats } from "node:fs";
import {
  chmod,
  type FileHandle,
  lchown,
  open,
  opendir,
  readFile,
  rmdir,
  unlink,
} from "node:fs/promises";
import { posix } from "node:path";
import { errorCode } from "../base/errors.ts";
import { fileError } from "./file-errors.ts";
import type { Owner } from "./file-owners.ts";
import type { Place } from "./file-paths.ts";
import { BATCH, MAX_DEPTH } from "./file-requests.ts";
import { parseMountInfo } from "./mounts.ts";

/**
 * Changes of whole trees. Each directory is held open and what is in it is named through
 * `/proc/self/fd/N`, so nobody who swaps a directory for a link meanwhile leads us out of the tree.
 */

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Only names a file, does not open it: no device notices. Source: open(2); absent from Node.js. */
const O_PATH = 0o10_000_000;
const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK;
/** A directory whose entries come back more often than this while they are removed is left. */
const MAX_PASSES = 10;

export interface TreeOptions {
  /** Called after each entry. */
  readonly step: () => void;
}

/**
 * Removes a file or a whole tree. Links are removed, not followed; nothing is removed when a file
 * system is mounted on it or below. What cannot be removed does not keep the rest.
 *
 * @throws AgentError `E_FILE` with the first failure.
 */
export async function removeTree(place: Place, { step }: TreeOptions): Promise<void> {
  const mounted = (await mountpoints()).find((path) => isAtOrBelow(path, place.path));
  if (mounted !== undefined) {
    throw fileError("remove", place.path, `a file system is mounted on ${mounted}, expected none`);
  }
  const parent = await openDirectory("remove", place.directory, place.directory);
  try {
    const failures: Error[] = [];
    const entry = { at: childOf(parent, Buffer.from(place.name)), shown: place.path };
    const mountId = await mountIdOf(parent);
    await removeEntry(entry, { mountId, failures, step, depth: 0 });
    if (failures[0] !== undefined) throw failures[0];
  } finally {
    await parent.close();
  }
}

interface Entry {
  /** Path for the kernel, through an open directory. */
  readonly at: Buffer;
  /** Path for people. */
  readonly shown: string;
}

interface Removal {
  readonly mountId: string;
  readonly failures: Error[];
  readonly step: () => void;
  readonly depth: number;
}

/** Never rejects; false when the entry is still there. */
async function removeEntry(entry: Entry, removal: Removal): Promise<boolean> {
  const outcome = await removeFile(entry, removal);
  return outcome === "directory" ? await removeDirectory(entry, removal) : outcome;
}

async function removeFile(entry: Entry, removal: Removal): Promise<boolean | "directory"> {
  removal.step();
  try {
    await unlink(entry.at);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return true;
    return code === "EISDIR" ? "directory" : failed(entry, removal, error);
  }
}

async function removeDirectory(entry: Entry, removal: Removal): Promise<boolean> {
  try {
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      const isEmptied = await emptyDirectory(entry, removal);
      if (!isEmptied) return false;
      try {
        await rmdir(entry.at);
        return true;
      } catch (error) {
        // Entries that move while a directory is read may be missed: look again.
        if (errorCode(error) !== "ENOTEMPTY" || pass + 1 === MAX_PASSES) throw error;
      }
    }
    return false;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    return failed(entry, removal, error);
  }
}

async function emptyDirectory(entry: Entry, removal: Removal): Promise<boolean> {
  const { mountId, depth } = removal;
  if (depth >= MAX_DEPTH) throw fileError("remove", entry.shown, tooDeep());
  const directory = await open(entry.at, DIRECTORY);
  try {
    // Mounted since we looked.
    if ((await mountIdOf(directory)) !== mountId) {
      throw fileError("remove", entry.shown, "a file system is mounted on it, expected none");
    }
    let isEmptied = true;
    for await (const names of batchesOf(namesIn(directory), BATCH)) {
      const children = names.map((name) => {
        return { at: childOf(directory, name), shown: posix.join(entry.shown, `${name}`) };
      });
      const outcomes = await Promise.all(children.map((child) => removeFile(child, removal)));
      for (const [index, child] of children.entries()) {
        const outcome = outcomes[index] ?? false;
        const isGone =
          outcome === "directory"
            ? await removeDirectory(child, { ...removal, depth: depth + 1 })
            : outcome;
        isEmptied &&= isGone;
      }
    }
    return isEmptied;
  } finally {
    await directory.close();
  }
}

function failed(entry: Entry, { failures }: Removal, error: unknown): false {
  if (failures.length === 0) {
    failures.push(
      errorCode(error) === "E_FILE" ? (error as Error) : fileError("remove", entry.shown, error),
    );
  }
  return false;
}

/** What is done with each entry of a tree. The handle only names it; `at` is its path for the kernel. */
type Change = (entry: { at: Buffer; handle: FileHandle; stats: Stats }) => Promise<void>;

/** Permission bits of files and directories; a link has none of its own. */
export const setMode =
  (mode: number): Change =>
  async ({ handle, stats }) => {
    if (!stats.isSymbolicLink()) await chmod(`/proc/self/fd/${handle.fd}`, mode & 0o777);
  };

/** Links get the owner themselves. */
export const setOwner =
  ({ uid, gid }: Owner): Change =>
  async ({ at }) =>
    lchown(at, uid, gid);

/**
 * Does the same with every entry of a tree. A link as the start is followed, others are not; file
 * systems that are mounted below are left alone. Failures of single entries are nobody's business.
 */
export async function changeTree(
  path: string,
  change: Change,
  { step }: TreeOptions,
): Promise<void> {
  const mounts = new Set(await mountpoints());
  const walk = async (entry: Entry, flags: number, depth: number): Promise<void> => {
    step();
    let handle: FileHandle | undefined;
    try {
      handle = await open(entry.at, O_PATH | flags);
      const stats = await handle.stat();
      await change({ at: entry.at, handle, stats }).catch(() => undefined);
      if (!stats.isDirectory() || depth >= MAX_DEPTH) return;
      const directory = await open(`/proc/self/fd/${handle.fd}`, DIRECTORY & ~O_NOFOLLOW);
      try {
        for await (const name of namesIn(directory)) {
          const shown = posix.join(entry.shown, `${name}`);
          if (mounts.has(shown)) continue;
          await walk({ at: childOf(directory, name), shown }, O_NOFOLLOW, depth + 1);
        }
      } finally {
        await directory.close();
      }
    } catch {
      // Gone meanwhile, or unreadable: the others are changed all the same.
    } finally {
      await handle?.close();
    }
  };
  await walk({ at: Buffer.from(path), shown: path }, 0, 0);
}

/** Names as bytes: they need not be UTF-8. */
async function* namesIn(directory: FileHandle): AsyncGenerator<Buffer> {
  const options = { encoding: "buffer" as BufferEncoding, bufferSize: 256 };
  for await (const { name } of await opendir(`/proc/self/fd/${directory.fd}`, options)) {
    yield name as unknown as Buffer;
  }
}

async function* batchesOf<T>(all: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const one of all) {
    batch.push(one);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function childOf(directory: FileHandle, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory.fd}/`), name]);
}

async function openDirectory(verb: string, shown: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, DIRECTORY);
  } catch (error) {
    throw fileError(verb, shown, error);
  }
}

/** Which mount a file is reached through: st_dev would not tell bind mounts apart. Source: proc_pid_fdinfo(5). */
async function mountIdOf({ fd }: FileHandle): Promise<string> {
  const text = await readFile(`/proc/self/fdinfo/${fd}`, "utf8");
  return /^mnt_id:\s*(\d+)/m.exec(text)?.[1] ?? "";
}

async function mountpoints(): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return parseMountInfo(text).map(({ mountpoint }) => mountpoint);
}

function isAtOrBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}

function tooDeep(): string {
  return `more than ${MAX_DEPTH} levels seen, expected fewer`;
}
