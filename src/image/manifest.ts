import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "./package-cache.ts";
import type { Tree } from "./tree.ts";

export interface ManifestFile {
  /** Below the directory of the manifest, or below the root of the machine. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal; of a link: of its target's text. */
  readonly sha256: string;
}

/** `manifest.json` beside the image. Same inputs, same manifest: no times, no places of the build machine. */
export interface Manifest {
  /** Hash of everything the image was made from; equal hashes need no new build. */
  readonly inputs: string;
  readonly flavour: string;
  readonly layout: string;
  readonly compression: string;
  readonly version: { readonly branch: string; readonly revision: string; readonly dirty: boolean };
  readonly kernelVersion: string;
  readonly nodeVersion: string;
  readonly kernelBytes: number;
  readonly initrdBytes: number;
  /** True when a locked package version was gone from the mirror and a newer one was taken. */
  readonly drifted: boolean;
  /** `vmlinuz` and `initrd.img`. */
  readonly outputs: readonly ManifestFile[];
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly sha256: string;
    readonly drifted?: true;
  }[];
  /** Every file and link of the root file system, in the order of their paths. */
  readonly files: readonly ManifestFile[];
}

/** Size and hash of every file and link of a tree. */
export async function listTree(tree: Tree): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const [path, entry] of tree.entries()) {
    if (entry.kind === "directory" || entry.kind === "device") continue;
    const source = entry.kind === "symlink" ? Buffer.from(entry.target) : entry.source;
    const bytes = typeof source === "string" ? await readFile(source) : source;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    files.push({ path, sizeBytes: bytes.length, sha256 });
  }
  return files;
}

/** Later lists replace files of earlier ones, as their layers do on the machine. */
export function mergeLists(...lists: readonly (readonly ManifestFile[])[]): ManifestFile[] {
  const byPath = new Map(lists.flat().map((file) => [file.path, file]));
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Paths of the boot files that differ from the manifest beside them. */
export async function verifyImage(outDir: string): Promise<string[]> {
  const text = await readFile(join(outDir, "manifest.json"), "utf8");
  const { outputs } = JSON.parse(text) as Manifest;
  const changed: string[] = [];
  for (const { path, sha256 } of outputs) {
    const seen = await hashFile(join(outDir, path)).catch(() => "");
    if (seen !== sha256) changed.push(path);
  }
  return changed;
}
