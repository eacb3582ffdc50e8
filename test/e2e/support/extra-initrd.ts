import { appendFileSync, constants, copyFileSync, statSync } from "node:fs";
import { formatCpio } from "../../../src/image/cpio.ts";
import { Tree } from "../../../src/image/tree.ts";

/** Source: kernel documentation, "initramfs buffer format": an archive starts on a multiple of 4. */
const ALIGNMENT_BYTES = 4;
/** Directory of the first file system whose contents lie over the image. */
const LAYER = "layer";

/**
 * Copies the file system of an image with more files over it, which takes no time compared with building an
 * image that has them.
 *
 * @param files Texts by path, without a slash in front.
 * @param trees Directories of this host by path.
 */
export async function writeInitrd(
  target: string,
  options: {
    readonly initrd: string;
    readonly files: Readonly<Record<string, string>>;
    readonly trees?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const tree = new Tree();
  for (const [path, text] of Object.entries(options.files)) tree.addText(`${LAYER}/${path}`, text);
  for (const [path, directory] of Object.entries(options.trees ?? {})) {
    const inside = new Tree();
    await inside.addFrom(directory);
    for (const [below, entry] of inside.entries()) tree.add(`${LAYER}/${path}/${below}`, entry);
  }
  copyFileSync(options.initrd, target, constants.COPYFILE_EXCL);
  const gapBytes = -statSync(target).size & (ALIGNMENT_BYTES - 1);
  appendFileSync(target, Buffer.concat([Buffer.alloc(gapBytes), formatCpio(tree)]));
}
