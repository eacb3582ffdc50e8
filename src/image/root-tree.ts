import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isKernelPackage, type Recipe } from "./recipe.ts";
import { runTool } from "./run-tool.ts";
import { Tree } from "./tree.ts";
import { ZEROTIER_PATH } from "./zerotier.ts";

export interface UnpackedPackage {
  readonly name: string;
  readonly dir: string;
}

export interface RootParts {
  readonly recipe: Recipe;
  readonly packages: readonly UnpackedPackage[];
  /** Directory holding `lib/modules/<version>`. */
  readonly modulesDir: string;
  /** Stripped Node.js program. */
  readonly nodeFile: string;
  /** Program the overlay is joined with; undefined: the image has none. */
  readonly zerotierFile: string | undefined;
  /** Project directory: `initramfs/root` and `etc` hold the files of the image that are ours. */
  readonly root: string;
}

/**
 * The part of the root file system that changes seldom: Debian's files, modules, Node.js and the
 * start-up scripts. The agent itself is laid over it as a layer of its own, so that a new revision
 * does not pack all of this again.
 */
export async function buildRootTree(parts: RootParts): Promise<Tree> {
  const tree = new Tree();
  addSkeleton(tree);
  const leftOut = parts.recipe.leaveOut;
  const isWanted = (path: string) => !leftOut.some((entry) => `/${path}`.startsWith(`/${entry}`));
  for (const { name, dir } of parts.packages) {
    if (!isKernelPackage(name)) await tree.addFrom(dir, { isWanted });
  }
  await addCertificates(tree, parts.packages);
  await tree.addFrom(parts.modulesDir);
  tree.addFile("usr/lib/node0/node", parts.nodeFile, 0o755);
  tree.addLink("usr/bin/node", "../lib/node0/node");
  if (parts.zerotierFile !== undefined) tree.addFile(ZEROTIER_PATH, parts.zerotierFile, 0o755);
  await addBusybox(tree);
  await tree.addFrom(join(parts.root, "initramfs/root"));
  await addDefaults(tree, join(parts.root, "etc"));
  return tree;
}

function addSkeleton(tree: Tree): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    tree.addDirectory(`usr/${name}`);
    tree.addLink(name, `usr/${name}`);
  }
  for (const name of [
    "dev",
    "etc/g8os",
    "mnt",
    "proc",
    "run",
    "sys",
    "var/lib",
    "var/log",
    "opt",
  ]) {
    tree.addDirectory(name);
  }
  tree.addDirectory("root", 0o700);
  tree.addDirectory("tmp", 0o1777);
  tree.addDirectory("var/tmp", 0o1777);
  tree.addLink("var/run", "../run");
  tree.addLink("etc/mtab", "../proc/self/mounts");
}

/** What `update-ca-certificates` does on an installed system: every certificate in one file. */
async function addCertificates(tree: Tree, packages: readonly UnpackedPackage[]): Promise<void> {
  const found = packages.find(({ name }) => name === "ca-certificates");
  if (found === undefined) return;
  const dir = join(found.dir, "usr/share/ca-certificates/mozilla");
  const names = (await readdir(dir)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(dir, name), "utf8")));
  tree.addText("etc/ssl/certs/ca-certificates.crt", texts.join(""));
}

/** Shipped settings go to `/etc`, programs of the network set-up beside the agent that calls them. */
async function addDefaults(tree: Tree, etcDir: string): Promise<void> {
  const shipped = new Tree();
  await shipped.addFrom(etcDir);
  for (const [path, entry] of shipped.entries()) {
    if (path.startsWith("node0/")) tree.add(`etc/${path}`, entry);
    else if (path.startsWith("network/")) tree.add(path.replace("network", "usr/lib/node0"), entry);
  }
}

/** One link per busybox program, where no package brings the full one. */
async function addBusybox(tree: Tree): Promise<void> {
  const busybox = tree.get("usr/bin/busybox");
  if (busybox?.kind !== "file" || typeof busybox.source !== "string") return;
  const names = (await runTool(busybox.source, ["--list-full"])).split("\n");
  for (const path of names.filter((entry) => entry.includes("/"))) {
    const base = path.replace(/^.*\//, "");
    const isPresent = ["usr/bin", "usr/sbin"].some((dir) => tree.get(`${dir}/${base}`));
    const place = path.startsWith("usr/") ? path : `usr/${path}`;
    if (!isPresent) tree.addLink(place, "/usr/bin/busybox");
  }
  tree.addLink("usr/bin/sh", "busybox");
  tree.addLink("usr/sbin/init", "../bin/busybox");
}
