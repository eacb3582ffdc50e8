import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "./package-cache.ts";

/** Names a value by its contents: 64 hexadecimal digits. */
export function hashJson(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/**
 * Names the contents of files and directories: paths, modes that matter (executable or not), bytes.
 *
 * @param paths Below `root`; a missing one counts as empty.
 */
export async function hashFiles(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of await listFiles(root, path)) {
      hash.update(`${file}\0${await describe(join(root, file))}\0`);
    }
  }
  return hash.digest("hex");
}

async function listFiles(root: string, path: string): Promise<string[]> {
  const found = await readdir(join(root, path), { recursive: true, withFileTypes: true }).catch(
    () => undefined,
  );
  if (found === undefined)
    return (await stat(join(root, path)).catch(() => undefined)) ? [path] : [];
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replace(/^\//, ""))
    .sort();
}

async function describe(path: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  if (target !== undefined) return `link ${target}`;
  const [bytes, { mode }] = await Promise.all([readFile(path), stat(path)]);
  const kind = mode & 0o100 ? "program" : "file";
  return `${kind} ${createHash("sha256").update(bytes).digest("hex")}`;
}

/**
 * SHA-256 of a large file, read again only when its size, time or place on the disk has changed.
 *
 * @param memoFile Where the last answer is kept.
 */
export async function hashLargeFile(path: string, memoFile: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  const seen = `${path} ${size} ${mtimeMs} ${ino}`;
  const memo = await readFile(memoFile, "utf8").catch(() => "");
  const [known, hash] = memo.split("\n");
  if (known === seen && hash !== undefined) return hash;
  const fresh = await hashFile(path);
  await writeFile(memoFile, `${seen}\n${fresh}`);
  return fresh;
}
