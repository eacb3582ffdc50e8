import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listTree, type ManifestFile } from "./manifest.ts";
import type { Layout } from "./options.ts";
import { packFileSystem } from "./pack.ts";
import { exists } from "./package-cache.ts";
import type { Toolbox } from "./toolbox.ts";
import type { Tree } from "./tree.ts";

const KEPT = 6;

export interface BaseImage {
  /** The packed file system. */
  readonly file: string;
  readonly files: readonly ManifestFile[];
}

export interface BaseImageOptions {
  readonly cacheDir: string;
  /** Hash of everything the base depends on. */
  readonly key: string;
  readonly layout: Exclude<Layout, "cpio">;
  readonly compression: string;
  readonly openToolbox: () => Promise<Toolbox>;
  readonly buildTree: () => Promise<Tree>;
}

/** Packs the part of the root file system that changes seldom, or takes it from the cache. */
export async function openBaseImage(options: BaseImageOptions): Promise<BaseImage> {
  const dir = join(options.cacheDir, "base");
  await mkdir(dir, { recursive: true });
  const file = join(dir, `${options.key}.img`);
  const listFile = join(dir, `${options.key}.json`);
  if (await exists(listFile)) {
    const now = new Date();
    await utimes(listFile, now, now);
    return { file, files: JSON.parse(await readFile(listFile, "utf8")) as ManifestFile[] };
  }
  const tree = await options.buildTree();
  const files = await listTree(tree);
  const part = `${file}.part`;
  await packFileSystem(await options.openToolbox(), {
    tree,
    layout: options.layout,
    compression: options.compression,
    workDir: `${file}.tree`,
    target: part,
  });
  await rename(part, file);
  await writeFile(listFile, JSON.stringify(files));
  await dropOldest(dir);
  return { file, files };
}

/** Keeps the most recently used few: each takes some fifty megabytes. */
async function dropOldest(dir: string): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.endsWith(".json"));
  const ages = await Promise.all(
    names.map(async (name) => ({ name, usedMs: (await stat(join(dir, name))).mtimeMs })),
  );
  ages.sort((a, b) => b.usedMs - a.usedMs);
  for (const { name } of ages.slice(KEPT)) {
    await rm(join(dir, name));
    await rm(join(dir, name.replace(/json$/, "img")), { force: true });
  }
}
