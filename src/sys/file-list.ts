import { lstat, opendir, readFile, realpath } from "node:fs/promises";
import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../base/errors.ts";
import { fileError } from "./file-errors.ts";
import { BATCH, type FileEntry, MAX_LIST_ENTRIES } from "./file-requests.ts";
import { parseMountInfo } from "./mounts.ts";

/** How long a file system that is mounted in the directory may take to tell of its root. */
const MOUNT_LIMIT_MS = 2000;

/**
 * Entries of a directory, sorted by the bytes of their names. One that goes away meanwhile is left out; one on which
 * a file system is mounted that does not answer has size and mode 0.
 *
 * @throws AgentError `E_FILE` also for a directory with more than {@link MAX_LIST_ENTRIES} entries.
 */
export async function listDirectory(path: string, step: () => void): Promise<FileEntry[]> {
  const found = await readEntries(path, step);
  found.sort((one, other) => Buffer.compare(one.name, other.name));
  const mounts = await mountsIn(path);
  const entries: FileEntry[] = [];
  for (let at = 0; at < found.length; at += BATCH) {
    const batch = found.slice(at, at + BATCH).map((entry) => {
      return mounts.has(`${entry.name}`) ? describeMount(path, entry) : describe(path, entry);
    });
    entries.push(...(await Promise.all(batch)).flat());
    step();
  }
  return entries;
}

interface Found {
  /** As bytes: a name need not be UTF-8, and one that was decoded could not be found again. */
  readonly name: Buffer;
  readonly isDirectory: boolean;
}

async function readEntries(path: string, step: () => void): Promise<Found[]> {
  const found: Found[] = [];
  try {
    const options = { encoding: "buffer" as BufferEncoding, bufferSize: 1024 };
    for await (const entry of await opendir(path, options)) {
      found.push({ name: entry.name as unknown as Buffer, isDirectory: entry.isDirectory() });
      step();
      if (found.length > MAX_LIST_ENTRIES) break;
    }
  } catch (error) {
    throw fileError("list", path, error);
  }
  if (found.length <= MAX_LIST_ENTRIES) return found;
  const seen = `more than ${MAX_LIST_ENTRIES} entries seen, expected fewer`;
  throw fileError("list", path, seen);
}

/** Names in the directory on which something is mounted. */
async function mountsIn(path: string): Promise<Set<string>> {
  const [directory, text] = await Promise.all([
    realpath(path).catch(() => path),
    readFile("/proc/self/mountinfo", "utf8"),
  ]);
  const points = parseMountInfo(text).map(({ mountpoint }) => mountpoint);
  return new Set(
    points.filter((point) => posix.dirname(point) === directory).map((p) => posix.basename(p)),
  );
}

async function describe(path: string, { name }: Found): Promise<FileEntry[]> {
  try {
    const stats = await lstat(Buffer.concat([Buffer.from(`${path}/`), name]));
    const [size, mode] = [stats.size, stats.mode & 0o777];
    return [{ name: `${name}`, size, mode, is_dir: stats.isDirectory() }];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw fileError("list", path, error);
  }
}

/** Questions to mounts that have not been answered: each holds a thread, so none is asked twice. */
const asked = new Map<string, Promise<FileEntry[]>>();

/** One dead mount must not hide the others. */
async function describeMount(path: string, entry: Found): Promise<FileEntry[]> {
  const unknown = { name: `${entry.name}`, size: 0, mode: 0, is_dir: entry.isDirectory };
  const timer = new AbortController();
  const late = sleep(MOUNT_LIMIT_MS, [unknown], { signal: timer.signal });
  try {
    return await Promise.race([askMount(path, entry, unknown), late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

function askMount(path: string, entry: Found, unknown: FileEntry): Promise<FileEntry[]> {
  const key = posix.join(path, `${entry.name}`);
  const before = asked.get(key);
  if (before !== undefined) return before;
  // It may also answer with an error, for example when its server has gone away.
  const answer = describe(path, entry).catch(() => [unknown]);
  asked.set(key, answer);
  void answer.then(() => asked.delete(key));
  return answer;
}
