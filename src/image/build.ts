import { copyFile, cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openBaseImage } from "./base-image.ts";
import { withBuildLock } from "./build-lock.ts";
import { buildBundle } from "./bundle.ts";
import { warmCompileCache } from "./compile-cache.ts";
import { type BuildVersion, readBuildVersion } from "./git-version.ts";
import { formatInitrd, formatPlainInitrd } from "./initrd.ts";
import { hashFiles, hashJson } from "./inputs.ts";
import { listTree, type Manifest, type ManifestFile, mergeLists } from "./manifest.ts";
import { parseDependencies, parseModuleList } from "./modules.ts";
import type { ImageOptions } from "./options.ts";
import {
  checkStartable,
  finishLayer,
  hashOwnParts,
  type OwnParts,
  openOwnParts,
} from "./own-parts.ts";
import { defaultCompression } from "./pack.ts";
import { type FetchedPackage, hashFile } from "./package-cache.ts";
import { buildRootTree } from "./root-tree.ts";
import { runTool } from "./run-tool.ts";
import { Tree } from "./tree.ts";
import {
  hashNode,
  type Kernel,
  openKernel,
  openStrippedNode,
  openWorkshop,
  unpackAll,
  type Workshop,
  type WorkshopOptions,
} from "./workshop.ts";

/**
 * Builds `vmlinuz`, `initrd.img` and `manifest.json` into `options.outDir`, or does nothing when
 * what lies there was made from the same inputs.
 *
 * @throws AgentError `E_IMAGE_…` naming the step that failed.
 */
export async function buildImage(
  options: ImageOptions,
  place: Pick<WorkshopOptions, "root" | "say" | "cacheDir">,
): Promise<Manifest> {
  const { debianMirror } = options;
  const workshop = await openWorkshop({ ...place, ...(debianMirror ? { debianMirror } : {}) });
  const { root, say } = workshop;
  const version = await readBuildVersion(root);
  const own = await openOwnParts(options);
  const inputs = await hashInputs(workshop, { options, version, own });
  const present = await readPresent(options.outDir, inputs);
  if (present !== undefined) return present;
  return await withBuildLock(join(workshop.cacheDir, "build.lock"), {
    onWait: () => say("waiting for another build"),
    work: async () =>
      (await readPresent(options.outDir, inputs)) ??
      (await makeImage(options, { workshop, inputs, version, own })),
  });
}

async function makeImage(
  options: ImageOptions,
  {
    workshop,
    inputs,
    version,
    own,
  }: { workshop: Workshop; inputs: string; version: BuildVersion; own: OwnParts },
): Promise<Manifest> {
  const { say } = workshop;
  const fetched = [
    ...(await workshop.packages.fetchSet("base")),
    ...(await workshop.packages.fetchSet(options.flavour)),
  ];
  const kernel = await openKernel(workshop, { packages: fetched, flavour: options.flavour });
  const nodeFile = await openStrippedNode(workshop);
  const layer = await buildLayer(options, { workshop, nodeFile });
  const job: Job = { workshop, options, fetched, kernel, nodeFile, layer, own };
  // Before the long part, and for builds with a program of their own alone: listing files takes time.
  if (own.zerotier !== null) checkStartable(own, await buildBaseTree(job));
  say(`packing the root file system (${options.layout})`);
  const { initrd, files } =
    options.layout === "cpio" ? await packPlain(job) : await packLayered(job);
  return await writeImage(job, { initrd, files, inputs, version });
}

interface Job {
  readonly workshop: Workshop;
  readonly options: ImageOptions;
  readonly fetched: readonly FetchedPackage[];
  readonly kernel: Kernel;
  readonly nodeFile: string;
  /** The agent, without what the caller lays over it. */
  readonly layer: Tree;
  readonly own: OwnParts;
}

interface Packed {
  readonly initrd: Buffer;
  readonly files: readonly ManifestFile[];
}

async function packPlain(job: Job): Promise<Packed> {
  const tree = await buildBaseTree(job);
  const layer = finishLayer(job, { base: await listTree(tree), say: job.workshop.say });
  for (const [path, entry] of layer.entries()) tree.add(path, entry);
  const initrd = formatPlainInitrd(join(job.workshop.root, "initramfs"), tree);
  return { initrd, files: await listTree(tree) };
}

async function packLayered(job: Job): Promise<Packed> {
  const { workshop, options, fetched, own } = job;
  const { layout } = options;
  if (layout === "cpio") throw new RangeError("A plain archive has no layers");
  const compression = compressionOf(options);
  const recipe = await hashFiles(workshop.root, ["initramfs", "etc", "src/image"]);
  const node = await hashNode(workshop);
  const base = await openBaseImage({
    cacheDir: workshop.cacheDir,
    key: hashJson([recipe, node, layout, compression, fetched, own.zerotier?.sha256]).slice(0, 32),
    layout,
    compression,
    openToolbox: workshop.openToolbox,
    buildTree: () => buildBaseTree(job),
  });
  const layer = finishLayer(job, { base: base.files, say: workshop.say });
  const initrd = formatInitrd({
    recipeDir: join(workshop.root, "initramfs"),
    busyboxFile: await findBusybox(job),
    modules: await listEarlyModules(job),
    imageFile: base.file,
    layout,
    layer,
  });
  return { initrd, files: mergeLists(base.files, await listTree(layer)) };
}

async function buildBaseTree({ workshop, fetched, kernel, nodeFile, own }: Job): Promise<Tree> {
  return buildRootTree({
    recipe: workshop.recipe,
    packages: await unpackAll(workshop.packages, fetched),
    modulesDir: kernel.modulesDir,
    nodeFile,
    zerotierFile: own.zerotier?.file,
    root: workshop.root,
  });
}

/** What changes with every revision: bundle, compiled code. */
async function buildLayer(
  options: ImageOptions,
  { workshop, nodeFile }: { workshop: Workshop; nodeFile: string },
): Promise<Tree> {
  const { root, cacheDir, say } = workshop;
  const workDir = join(cacheDir, "layer");
  await rm(workDir, { recursive: true, force: true });
  if (options.bundleDir === undefined) {
    say("bundling the agent");
    await buildBundle({ root, outDir: workDir });
  } else {
    await cp(options.bundleDir, workDir, { recursive: true });
  }
  await warmCompileCache(nodeFile, workDir);
  const bundle = new Tree();
  await bundle.addFrom(workDir);
  const layer = new Tree();
  for (const [path, entry] of bundle.entries()) layer.add(`usr/lib/node0/${path}`, entry);
  return layer;
}

async function findBusybox({ workshop, fetched }: Job): Promise<string> {
  const found = fetched.filter(({ name }) => name === "busybox-static");
  const [unpacked] = await unpackAll(workshop.packages, found);
  return join(unpacked?.dir ?? "", "usr/bin/busybox");
}

/** The modules of `early.list` and what they need, what is needed first. */
async function listEarlyModules({ workshop, kernel, options }: Job): Promise<Map<string, string>> {
  const dir = join(kernel.modulesDir, "lib/modules", kernel.version);
  const dependencies = parseDependencies(await readFile(join(dir, "modules.dep"), "utf8"));
  const text = await readFile(join(workshop.root, "initramfs/modules/early.list"), "utf8");
  const modules = new Map<string, string>();
  const take = (path: string): void => {
    // modules.dep names the nearest need first, so the last one has to be loaded first.
    for (const needed of [...(dependencies.get(path) ?? [])].reverse()) take(needed);
    if (!modules.has(basename(path))) modules.set(basename(path), join(dir, path));
  };
  for (const name of [...parseModuleList(text), `fs/${options.layout}/${options.layout}`]) {
    const path = `kernel/${name}.ko`;
    if (dependencies.has(path)) take(path);
  }
  return modules;
}

async function writeImage(
  { options, fetched, kernel, workshop }: Job,
  made: Packed & { inputs: string; version: BuildVersion },
): Promise<Manifest> {
  const { outDir } = options;
  await mkdir(outDir, { recursive: true });
  const manifestFile = join(outDir, "manifest.json");
  // First: an interrupted build must not look like a finished one.
  await rm(manifestFile, { force: true });
  await copyFile(kernel.file, join(outDir, "vmlinuz"));
  await writeFile(join(outDir, "initrd.img"), made.initrd);
  const outputs: ManifestFile[] = [];
  for (const path of ["vmlinuz", "initrd.img"]) {
    const { size } = await stat(join(outDir, path));
    outputs.push({ path, sizeBytes: size, sha256: await hashFile(join(outDir, path)) });
  }
  const { branch, revision, dirty } = made.version;
  const node = await runTool(join(workshop.root, "node_modules/node/bin/node"), ["--version"]);
  const manifest: Manifest = {
    inputs: made.inputs,
    flavour: options.flavour,
    layout: options.layout,
    compression: compressionOf(options),
    version: { branch, revision, dirty },
    kernelVersion: kernel.version,
    nodeVersion: node.trim(),
    kernelBytes: outputs[0]?.sizeBytes ?? 0,
    initrdBytes: made.initrd.length,
    drifted: fetched.some(({ isDrifted }) => isDrifted),
    outputs,
    packages: fetched.map(({ name, version, sha256, isDrifted }) => ({
      name,
      version,
      sha256,
      ...(isDrifted ? { drifted: true as const } : {}),
    })),
    files: made.files,
  };
  await writeFile(manifestFile, `${JSON.stringify(manifest, null, 1)}\n`);
  return manifest;
}

const compressionOf = (options: ImageOptions): string =>
  options.compression ?? defaultCompression(options);

/** Everything that can change the result. */
async function hashInputs(
  workshop: Workshop,
  { options, version, own }: { options: ImageOptions; version: BuildVersion; own: OwnParts },
): Promise<string> {
  const { flavour, layout, bundleDir } = options;
  const sources = bundleDir === undefined ? ["src", "package-lock.json"] : ["src/image"];
  return hashJson([
    { flavour, layout, compression: compressionOf(options), version },
    await hashFiles(workshop.root, ["initramfs", "etc", ...sources]),
    await hashNode(workshop),
    bundleDir === undefined ? "" : await hashFiles(dirname(bundleDir), [basename(bundleDir)]),
    await hashOwnParts(own),
  ]);
}

/** The manifest of a finished image made from these inputs. */
async function readPresent(outDir: string, inputs: string): Promise<Manifest | undefined> {
  const text = await readFile(join(outDir, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.inputs !== inputs) return undefined;
  for (const { path, sizeBytes } of manifest.outputs) {
    const found = await stat(join(outDir, path)).catch(() => undefined);
    if (found?.size !== sizeBytes) return undefined;
  }
  return manifest;
}
