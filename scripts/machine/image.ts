import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../../src/base/errors.ts";
import { runImageCommand } from "../../src/image/command.ts";

/** A built image: absolute paths, sizes in bytes. */
export interface ImageFiles {
  readonly kernel: string;
  readonly initrd: string;
  readonly kernelBytes: number;
  readonly initrdBytes: number;
}

/**
 * Builds the image unless the one at hand was made from the same sources.
 *
 * @throws AgentError `E_IMAGE_BUILD`; what went wrong was printed.
 */
export async function ensureImage(root: string): Promise<ImageFiles> {
  const status = await runImageCommand(["build"]);
  if (status !== 0) {
    throw new AgentError("E_IMAGE_BUILD", "Cannot build the image: see the lines above");
  }
  return readImage(root);
}

/** The image that was built last. @throws the error of the file system when there is none. */
export function readImage(root: string): ImageFiles {
  const directory = join(root, "dist/image");
  const { kernelBytes, initrdBytes } = JSON.parse(
    readFileSync(join(directory, "manifest.json"), "utf8"),
  ) as { kernelBytes: number; initrdBytes: number };
  return {
    kernel: join(directory, "vmlinuz"),
    initrd: join(directory, "initrd.img"),
    kernelBytes,
    initrdBytes,
  };
}
