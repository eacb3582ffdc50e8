import { rm } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";
import type { ImageOptions, Layout } from "./options.ts";
import type { Toolbox } from "./toolbox.ts";
import { type Tree, writeTree } from "./tree.ts";

/**
 * Compression where none was asked for. An emulated machine unpacks zstd as fast as lz4. mkfs.erofs tries
 * each cluster several times, so higher levels take minutes for little. Numbers: `docs/image.md`.
 */
export function defaultCompression({ layout }: Pick<ImageOptions, "layout">) {
  if (layout === "cpio") return "zstd";
  return layout === "squashfs" ? "lz4" : "zstd,6";
}

export interface PackOptions {
  readonly tree: Tree;
  readonly layout: Exclude<Layout, "cpio">;
  readonly compression: string;
  /** Directory for the tree while it is packed; removed afterwards. */
  readonly workDir: string;
  /** The finished file system image. */
  readonly target: string;
}

/** Packs a tree as a compressed read-only file system. Same tree, same bytes: no owner, no times, fixed UUID. */
export async function packFileSystem(toolbox: Toolbox, options: PackOptions): Promise<void> {
  const { tree, layout, compression, workDir, target } = options;
  await rm(target, { force: true });
  await writeTree(tree, workDir);
  if (layout === "squashfs") await packSquashfs(toolbox, { workDir, target, compression });
  else await packErofs(toolbox, { workDir, target, compression });
  await rm(workDir, { recursive: true });
}

interface Packing {
  readonly workDir: string;
  readonly target: string;
  readonly compression: string;
}

async function packSquashfs(toolbox: Toolbox, { workDir, target, compression }: Packing) {
  const [name = "", level] = compression.split(",");
  const levels: Record<string, string[]> = {
    lz4: ["-Xhc"],
    zstd: ["-Xcompression-level", level ?? "19"],
    xz: [],
    gzip: [],
  };
  const options = levels[name];
  if (options === undefined) throw unknownCompression(compression, Object.keys(levels));
  const fixed = ["-noappend", "-all-root", "-all-time", "0", "-mkfs-time", "0", "-no-xattrs"];
  await toolbox.run("bin/mksquashfs", [
    workDir,
    target,
    ...fixed,
    "-quiet",
    "-no-progress",
    "-comp",
    name,
    ...options,
  ]);
}

async function packErofs(toolbox: Toolbox, { workDir, target, compression }: Packing) {
  const fixed = ["--all-root", "-T0", "-U00000000-0000-0000-0000-000000000000", "-x-1", "--quiet"];
  const packing = compression === "none" ? [] : [`-z${compression}`, "-C65536"];
  await toolbox.run("bin/mkfs.erofs", [...fixed, ...packing, target, workDir]);
}

function unknownCompression(seen: string, allowed: readonly string[]): AgentError {
  return new AgentError(
    "E_USAGE",
    `Cannot use --compression: ${seen} seen, expected ${allowed.join(", ")}`,
  );
}
