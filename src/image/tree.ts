import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

/** One entry of a file tree. Owner is always root; times are always zero. Mode: permission bits only. */
export type TreeEntry =
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "file"; readonly mode: number; readonly source: string | Uint8Array }
  | { readonly kind: "symlink"; readonly target: string }
  | {
      readonly kind: "device";
      readonly mode: number;
      readonly type: "block" | "character";
      readonly major: number;
      readonly minor: number;
    };

/** Directories that are links into `usr`. */
const MERGED = /^(bin|sbin|lib|lib64)\//;

/**
 * A file tree in memory: contents stay where they are until the tree is written.
 * Paths have no slash in front (`usr/bin/node`); later entries replace earlier ones.
 */
export class Tree {
  readonly #entries = new Map<string, TreeEntry>();

  /** Entries in byte order of their paths, parents before children. */
  entries(): [string, TreeEntry][] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  get(path: string): TreeEntry | undefined {
    return this.#entries.get(path);
  }

  delete(path: string): void {
    this.#entries.delete(path);
  }

  /** Adds an entry and whichever of its parents are missing. */
  add(path: string, entry: TreeEntry): void {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
      if (!this.#entries.has(parent)) this.#entries.set(parent, { kind: "directory", mode: 0o755 });
    }
    this.#entries.set(path, entry);
  }

  addText(path: string, text: string, mode = 0o644): void {
    this.add(path, { kind: "file", mode, source: Buffer.from(text) });
  }

  addLink(path: string, target: string): void {
    this.add(path, { kind: "symlink", target });
  }

  addFile(path: string, source: string, mode = 0o644): void {
    this.add(path, { kind: "file", mode, source });
  }

  addDirectory(path: string, mode = 0o755): void {
    this.add(path, { kind: "directory", mode });
  }

  /**
   * Adds a directory of this machine. `bin`, `sbin`, `lib` and `lib64` become parts of `usr`, where
   * Debian merged them. Set-user-id bits are dropped: every process of a node is root.
   *
   * @param isWanted Asked with the path below `source`, directories with a slash at the end.
   * @param onOther Called with the path of what is neither file nor directory nor link; it is not added.
   */
  async addFrom(
    source: string,
    {
      isWanted = () => true,
      onOther = () => {},
    }: { isWanted?: (path: string) => boolean; onOther?: (path: string) => void } = {},
  ): Promise<void> {
    const visit = async (below: string): Promise<void> => {
      const found = await readdir(join(source, below), { withFileTypes: true });
      for (const entry of found) {
        const path = join(below, entry.name);
        const from = join(source, path);
        const to = MERGED.test(`${path}/`) ? `usr/${path}` : path;
        if (!isWanted(entry.isDirectory() ? `${path}/` : path)) continue;
        if (entry.isSymbolicLink()) this.addLink(to, await readlink(from));
        else if (entry.isDirectory()) {
          this.addDirectory(to, (await stat(from)).mode & 0o1777);
          await visit(path);
        } else if (entry.isFile()) this.addFile(to, from, (await stat(from)).mode & 0o777);
        else onOther(path);
      }
    };
    await visit("");
  }
}

/** Writes a tree into a directory of this machine, which is emptied first. Device nodes are not possible. */
export async function writeTree(tree: Tree, dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  for (const [path, entry] of tree.entries()) {
    const to = join(dir, path);
    if (entry.kind === "directory") await mkdir(to, { recursive: true });
    else if (entry.kind === "symlink") await symlink(entry.target, to);
    else if (entry.kind === "file") {
      if (typeof entry.source === "string") await copyFile(entry.source, to);
      else await writeFile(to, entry.source);
    }
    if (entry.kind !== "symlink") await chmod(to, "mode" in entry ? entry.mode : 0o644);
  }
}
