import { readFile } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";
import { hashJson } from "./inputs.ts";
import { compareLaidOver, hashTree, readLaidOver } from "./laid-over.ts";
import type { ManifestFile } from "./manifest.ts";
import type { ImageOptions } from "./options.ts";
import { hashFile } from "./package-cache.ts";
import { Tree } from "./tree.ts";
import { findZerotier, listMissingNeeds } from "./zerotier.ts";

/** What the caller of a build brings along. */
export interface OwnParts {
  /** In the order they are laid over the image. */
  readonly laidOver: readonly Tree[];
  /** Program the overlay is joined with. */
  readonly zerotier: {
    /** On this machine. */
    readonly file: string;
    readonly sha256: string;
    readonly bytes: Buffer;
  } | null;
}

/** @throws AgentError `E_IMAGE_FILES` | `E_IMAGE_FILE` for what cannot be taken. */
export async function openOwnParts({
  overlays,
  zerotierBin,
}: Pick<ImageOptions, "overlays" | "zerotierBin">): Promise<OwnParts> {
  const laidOver = await Promise.all(overlays.map(readLaidOver));
  const file = await findZerotier(zerotierBin);
  if (file === undefined) return { laidOver, zerotier: null };
  const zerotier = { file, sha256: await hashFile(file), bytes: await readFile(file) };
  return { laidOver, zerotier };
}

/** Names their contents. */
export async function hashOwnParts({ laidOver, zerotier }: OwnParts): Promise<string> {
  return hashJson([zerotier?.sha256 ?? "", await Promise.all(laidOver.map(hashTree))]);
}

/**
 * Lays the caller's files over the agent.
 *
 * @param base Files and links of the part below.
 * @param say Takes a line for each file that is replaced.
 * @throws AgentError `E_IMAGE_FILES`
 */
export function finishLayer(
  { layer, own }: { readonly layer: Tree; readonly own: OwnParts },
  { base, say }: { base: readonly ManifestFile[]; say: (line: string) => void },
): Tree {
  const paths = new Set(base.map(({ path }) => path));
  const whole = new Tree();
  const lay = (tree: Tree): void => {
    for (const [path, entry] of tree.entries()) {
      whole.add(path, entry);
      if (entry.kind !== "directory") paths.add(path);
    }
  };
  lay(layer);
  for (const tree of own.laidOver) {
    for (const note of compareLaidOver(tree, paths)) say(note);
    lay(tree);
  }
  return whole;
}

/**
 * Makes sure that the image can start the program of the overlay.
 *
 * @throws AgentError `E_IMAGE_NEEDS` naming what is missing; `E_IMAGE_ELF`.
 */
export function checkStartable({ laidOver, zerotier }: OwnParts, base: Tree): void {
  if (zerotier === null) return;
  const { file, bytes } = zerotier;
  const has = (path: string) => [base, ...laidOver].some((tree) => tree.get(path) !== undefined);
  const missing = listMissingNeeds(bytes, { file, has });
  if (missing.length === 0) return;
  throw new AgentError(
    "E_IMAGE_NEEDS",
    `Cannot start ${file} in the image: ${missing.join(", ")} missing, expected to be part of it ` +
      "(--files DIR brings libraries along, --zerotier-bin names another program or none)",
  );
}
