import { join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import { formatCpio } from "./cpio.ts";
import { Tree } from "./tree.ts";

export interface InitrdParts {
  /** `initramfs` of the project: holds the first program. */
  readonly recipeDir: string;
  readonly busyboxFile: string;
  /** Unpacked kernel modules in the order they have to be loaded: file name to place. */
  readonly modules: ReadonlyMap<string, string>;
  /** The packed base file system, and of which type it is. */
  readonly imageFile: string;
  readonly layout: string;
  /** What lies over it: the agent and the caller's own files. */
  readonly layer: Tree;
}

/**
 * Two archives one after the other: the small one is compressed, the second holds the packed file
 * system as it is, because packing it again gains nothing and costs time at each boot.
 */
export function formatInitrd(parts: InitrdParts): Buffer {
  const early = new Tree();
  for (const name of ["base", "dev", "newroot", "rw"]) early.addDirectory(name);
  early.addFile("init", join(parts.recipeDir, "init"), 0o755);
  early.addFile("bin/busybox", parts.busyboxFile, 0o755);
  for (const name of EARLY_PROGRAMS) early.addLink(`bin/${name}`, "busybox");
  for (const [name, source] of parts.modules) early.addFile(`modules/${name}`, source);
  early.addText("modules/order", [...parts.modules.keys(), ""].join("\n"));
  early.addText("root.layout", `${parts.layout}\n`);
  early.addDirectory("layer");
  for (const [path, entry] of parts.layer.entries()) early.add(`layer/${path}`, entry);
  const image = new Tree();
  image.addFile("root.img", parts.imageFile);
  return Buffer.concat([compress(formatCpio(early)), formatCpio(image)]);
}

/** Programs the first script calls by name. */
const EARLY_PROGRAMS = [
  "cat",
  "chroot",
  "cp",
  "grep",
  "insmod",
  "mkdir",
  "mount",
  "reboot",
  "rm",
  "sh",
  "sleep",
];

/** Everything in one compressed archive that becomes the root file system itself. */
export function formatPlainInitrd(recipeDir: string, tree: Tree): Buffer {
  tree.addFile("init", join(recipeDir, "init-plain"), 0o755);
  return compress(formatCpio(tree));
}

/**
 * zstd, which the kernel unpacks fast; the end is filled up with zeroes, because the kernel looks for
 * the next archive at a multiple of four.
 */
function compress(bytes: Buffer): Buffer {
  const packed = zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 0 },
  });
  return Buffer.concat([packed, Buffer.alloc((512 - (packed.length % 512)) % 512)]);
}
