import { lstat, opendir } from "node:fs/promises";
import { errorCode } from "../base/errors.ts";
import { fileError } from "./file-errors.ts";
import { BATCH, type FileEntry, MAX_LIST_ENTRIES } from "./file-requests.ts";

/**
 * Entries of a directory, sorted by the bytes of their names. One that goes away meanwhile is left out.
 *
 * @throws AgentError `E_FILE` also for a directory with more than {@link MAX_LIST_ENTRIES} entries.
 */
export async function listDirectory(path: string, step: () => void): Promise<FileEntry[]> {
  const names = await readNames(path, step);
  names.sort(Buffer.compare);
  const entries: FileEntry[] = [];
  for (let at = 0; at < names.length; at += BATCH) {
    const batch = names.slice(at, at + BATCH).map((name) => describe(path, name));
    entries.push(...(await Promise.all(batch)).flat());
    step();
  }
  return entries;
}

/** As bytes: a name need not be UTF-8, and one that was decoded could not be found again. */
async function readNames(path: string, step: () => void): Promise<Buffer[]> {
  const names: Buffer[] = [];
  try {
    const options = { encoding: "buffer" as BufferEncoding, bufferSize: 1024 };
    for await (const { name } of await opendir(path, options)) {
      names.push(name as unknown as Buffer);
      step();
      if (names.length > MAX_LIST_ENTRIES) break;
    }
  } catch (error) {
    throw fileError("list", path, error);
  }
  if (names.length <= MAX_LIST_ENTRIES) return names;
  const seen = `more than ${MAX_LIST_ENTRIES} entries seen, expected fewer`;
  throw fileError("list", path, seen);
}

async function describe(path: string, name: Buffer): Promise<FileEntry[]> {
  try {
    const stats = await lstat(Buffer.concat([Buffer.from(`${path}/`), name]));
    const [size, mode] = [stats.size, stats.mode & 0o777];
    return [{ name: `${name}`, size, mode, is_dir: stats.isDirectory() }];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw fileError("list", path, error);
  }
}
