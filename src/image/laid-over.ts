import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { AgentError } from "../base/errors.ts";
import { hashFile } from "./package-cache.ts";
import { Tree, type TreeEntry } from "./tree.ts";

/** Lines about replaced files a person still reads. */
const MAX_NOTES = 10;

/**
 * Reads a directory that is laid over the image: files, directories, links and their modes; the owner
 * is root.
 *
 * @throws AgentError `E_IMAGE_FILES` for anything else in it, and for a link that leads above the root.
 */
export async function readLaidOver(dir: string): Promise<Tree> {
  const tree = new Tree();
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new AgentError("E_IMAGE_FILES", `Cannot use --files: ${dir} seen, expected a directory`);
  }
  await tree.addFrom(dir, {
    onOther: (path) => {
      throw refused(dir, path, "neither file nor directory nor link");
    },
  });
  for (const [path, entry] of tree.entries()) {
    if (entry.kind === "symlink" && leadsOut(path, entry.target)) {
      throw refused(dir, path, `a link to ${entry.target}`);
    }
  }
  return tree;
}

function leadsOut(path: string, target: string): boolean {
  if (target.startsWith("/")) return posix.normalize(`.${target}`).startsWith("..");
  return posix.normalize(posix.join(posix.dirname(path), target)).startsWith("..");
}

/** Names the contents of a tree: paths, kinds, modes, bytes. 64 hexadecimal digits. */
export async function hashTree(tree: Tree): Promise<string> {
  const hash = createHash("sha256");
  for (const [path, entry] of tree.entries()) {
    hash.update(`${path}\0${await describeEntry(entry)}\0`);
  }
  return hash.digest("hex");
}

async function describeEntry(entry: TreeEntry): Promise<string> {
  if (entry.kind === "symlink") return `link ${entry.target}`;
  if (entry.kind === "directory") return `directory ${entry.mode}`;
  if (entry.kind === "device") return `device ${entry.mode} ${entry.major} ${entry.minor}`;
  const { source } = entry;
  const bytes = typeof source === "string" ? await hashFile(source) : sha256(source);
  return `file ${entry.mode} ${bytes}`;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Compares what is laid over with what lies below.
 *
 * @param shipped Paths of files and links below.
 * @returns Lines about files that are replaced.
 * @throws AgentError `E_IMAGE_FILES` where a directory would hide a file or the other way round: everything
 *   below it would be gone.
 */
export function compareLaidOver(tree: Tree, shipped: ReadonlySet<string>): string[] {
  const directories = new Set<string>();
  for (const path of shipped) {
    for (let up = posix.dirname(path); up !== "."; up = posix.dirname(up)) directories.add(up);
  }
  const replaced: string[] = [];
  for (const [path, { kind }] of tree.entries()) {
    const isDirectory = kind === "directory";
    if (isDirectory && shipped.has(path)) throw hidden(path, "a directory", "a file or link");
    if (!isDirectory && directories.has(path)) throw hidden(path, `a ${kind}`, "a directory");
    if (!isDirectory && shipped.has(path)) replaced.push(`/${path} is replaced`);
  }
  const more = replaced.length - MAX_NOTES;
  return more <= 0
    ? replaced
    : [...replaced.slice(0, MAX_NOTES), `${more} more files are replaced`];
}

function hidden(path: string, seen: string, wanted: string): AgentError {
  return new AgentError(
    "E_IMAGE_FILES",
    `Cannot lay /${path} over the image: ${seen} seen, expected ${wanted} as in the image`,
  );
}

function refused(dir: string, path: string, seen: string): AgentError {
  return new AgentError(
    "E_IMAGE_FILES",
    `Cannot lay ${posix.join(dir, path)} over the image: ${seen} seen, ` +
      "expected files, directories and links within the image",
  );
}
