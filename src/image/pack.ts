import { rm, writeFile } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";
import type { ImageOptions, Layout } from "./options.ts";
import type { Toolbox } from "./toolbox.ts";
import { type Tree, writeTree } from "./tree.ts";

/**
 * Compression where none was asked for. An emulated machine unpacks lz4 much faster than zstd; a real
 * server does not notice, and its many modules leave no room for lz4. Numbers: `docs/image.md`.
 */
export function defaultCompression({ layout, flavour }: Pick<ImageOptions, "layout" | "flavour">) {
  if (layout === "cpio") return "zstd";
  if (flavour === "generic") return "zstd,12";
  return layout === "squashfs" ? "lz4" : "lz4hc,12";
}

export interface PackOptions {
  readonly tree: Tree;
  readonly layout: Exclude<Layout, "cpio">;
  readonly compression: string;
  /** Path prefixes of what every boot reads; erofs packs everything else smaller. */
  readonly hot: readonly string[];
  /** Directory for the tree while it is packed; removed afterwards. */
  readonly workDir: string;
  /** The finished file system image. */
  readonly target: string;
}

/** Packs a tree as a compressed read-only file system. Same tree, same bytes: no owner, no times, fixed UUID. */
export async function packFileSystem(toolbox: Toolbox, options: PackOptions): Promise<void> {
  const { tree, layout, compression, hot, workDir, target } = options;
  await rm(target, { force: true });
  await writeTree(tree, workDir);
  if (layout === "squashfs") await packSquashfs(toolbox, { workDir, target, compression });
  else await packErofs(toolbox, { workDir, target, compression, hot });
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

async function packErofs(
  toolbox: Toolbox,
  { workDir, target, compression, hot }: Packing & { readonly hot: readonly string[] },
) {
  const fixed = ["--all-root", "-T0", "-U00000000-0000-0000-0000-000000000000", "-x-1", "--quiet"];
  if (compression === "none") {
    await toolbox.run("bin/mkfs.erofs", [...fixed, target, workDir]);
    return;
  }
  const hintsFile = `${target}.hints`;
  await writeFile(hintsFile, formatHints(compression, hot));
  const names = compression === COLD ? compression : `${compression}:${COLD}`;
  const packing = [`-z${names}`, `-C${COLD_BYTES}`, `--compress-hints=${hintsFile}`];
  await toolbox.run("bin/mkfs.erofs", [...fixed, ...packing, target, workDir]);
  await rm(hintsFile);
}

/** Smallest, and slow to unpack where the processor is emulated. Numbers: `docs/image.md`. */
const COLD = "zstd,19";
const COLD_BYTES = 262_144;
const HOT_BYTES = 65_536;

/**
 * Lines of bytes of a cluster, number of the algorithm, pattern; the first pattern that fits counts.
 *
 * @param compression Of hot files, as mkfs.erofs names it.
 */
export function formatHints(compression: string, hot: readonly string[]): string {
  const literal = (path: string): string => path.replaceAll(/[.+*?^$()[\]{}|\\]/g, "\\$&");
  const lines = hot.map((path) => `${HOT_BYTES} 0 ^/?${literal(path)}`);
  return `${[...lines, `${COLD_BYTES} ${compression === COLD ? 0 : 1} .*`].join("\n")}\n`;
}

function unknownCompression(seen: string, allowed: readonly string[]): AgentError {
  return new AgentError(
    "E_USAGE",
    `Cannot use --compression: ${seen} seen, expected ${allowed.join(", ")}`,
  );
}
