import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { Apt } from "./apt.ts";
import { hashFiles, hashJson, hashLargeFile } from "./inputs.ts";
import { type PackageLock, readLock } from "./lock.ts";
import { findMirror } from "./mirror.ts";
import { prepareModules } from "./modules.ts";
import { exists, type FetchedPackage, PackageCache } from "./package-cache.ts";
import { isKernelPackage, type Recipe, readRecipe } from "./recipe.ts";
import type { UnpackedPackage } from "./root-tree.ts";
import { Toolbox } from "./toolbox.ts";

export interface WorkshopOptions {
  /** Project directory. */
  readonly root: string;
  readonly debianMirror?: string;
  /** Default: `.node0/cache` of the project. */
  readonly cacheDir?: string;
  readonly say: (line: string) => void;
}

/** What a build works with: the recipe, the lock, the caches. Opening it touches no network. */
export interface Workshop {
  readonly root: string;
  readonly cacheDir: string;
  readonly recipe: Recipe;
  readonly lock: PackageLock;
  readonly packages: PackageCache;
  readonly openToolbox: () => Promise<Toolbox>;
  /** Takes one line for the person at the terminal. */
  readonly say: (line: string) => void;
}

export async function openWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const { root } = options;
  const cacheDir = options.cacheDir ?? join(root, ".node0/cache");
  await mkdir(cacheDir, { recursive: true });
  const [recipe, lock] = await Promise.all([readRecipe(root), readLock(root)]);
  const openApt = () => openAptFor({ ...options, cacheDir, release: recipe.release });
  const { say } = options;
  const packages = new PackageCache({ dir: cacheDir, lock, recipe, openApt, say });
  let toolbox: Promise<Toolbox> | undefined;
  const openToolbox = () => {
    toolbox ??= Toolbox.open(packages, cacheDir);
    return toolbox;
  };
  return { root, cacheDir, recipe, lock, packages, openToolbox, say };
}

/** apt with current lists of the release. */
export async function openAptFor(
  options: WorkshopOptions & { cacheDir: string; release: string },
): Promise<Apt> {
  const mirror = await findMirror("/etc/apt", options.debianMirror);
  const apt = new Apt({ dir: join(options.cacheDir, "apt"), mirror, release: options.release });
  options.say(`reading the package lists of Debian ${options.release}`);
  await apt.update();
  return apt;
}

/** Unpacks packages in the given order. */
export async function unpackAll(
  cache: PackageCache,
  packages: readonly FetchedPackage[],
): Promise<UnpackedPackage[]> {
  const unpacked: UnpackedPackage[] = [];
  for (const wanted of packages) {
    unpacked.push({ name: wanted.name, dir: await cache.unpack(wanted) });
  }
  return unpacked;
}

/** Hash of the Node.js program of the lock file. */
export function hashNode(workshop: Workshop): Promise<string> {
  return hashLargeFile(nodeProgram(workshop.root), join(workshop.cacheDir, "node-hash"));
}

const nodeProgram = (root: string): string => join(root, "node_modules/node/bin/node");

/**
 * The Node.js program without what only a debugger reads. Addons find its functions in the dynamic
 * symbol table, which stays.
 */
export async function openStrippedNode(workshop: Workshop): Promise<string> {
  const dir = join(workshop.cacheDir, "node");
  const file = join(dir, `${(await hashNode(workshop)).slice(0, 32)}-stripped`);
  if (await exists(file)) return file;
  await mkdir(dir, { recursive: true });
  const toolbox = await workshop.openToolbox();
  await toolbox.run("bin/strip", ["--strip-all", "-o", `${file}.part`, nodeProgram(workshop.root)]);
  await rename(`${file}.part`, file);
  return file;
}

export interface Kernel {
  readonly version: string;
  readonly file: string;
  /** Directory holding `lib/modules/<version>`. */
  readonly modulesDir: string;
}

/** Finds the kernel in a set of packages and lays out its modules. */
export async function openKernel(
  workshop: Workshop,
  { packages, flavour }: { packages: readonly FetchedPackage[]; flavour: string },
): Promise<Kernel> {
  const found = packages.find(({ name }) => isKernelPackage(name));
  if (found === undefined) {
    throw new AgentError(
      "E_IMAGE_KERNEL",
      "Cannot find the kernel: no such package seen in the lock file",
    );
  }
  const { root, cacheDir } = workshop;
  const version = found.name.replace("linux-image-", "");
  const kernelDir = await workshop.packages.unpack(found);
  const listsDir = join(root, "initramfs/modules");
  const list = await readFile(join(listsDir, `${flavour}.list`), "utf8");
  const plainList = await readFile(join(listsDir, "plain.list"), "utf8");
  const own = await hashFiles(root, ["src/image/modules.ts"]);
  const key = hashJson([found.sha256, list, plainList, own]).slice(0, 32);
  const modulesDir = join(cacheDir, "modules", key);
  if (!(await exists(modulesDir))) {
    const workDir = `${modulesDir}.part`;
    const toolbox = await workshop.openToolbox();
    await prepareModules(toolbox, { kernelDir, version, list, plainList, workDir });
    await rename(workDir, modulesDir);
  }
  return { version, file: join(kernelDir, `boot/vmlinuz-${version}`), modulesDir };
}
