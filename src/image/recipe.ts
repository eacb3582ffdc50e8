import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { array, type Infer, map, object, parseWith, string } from "../base/schema.ts";

const RECIPE = object(
  {
    release: string({ description: "Debian release name" }),
    base: array(string(), { description: "packages of every image; what they depend on follows" }),
    tools: array(string(), { description: "packages that run on the build machine" }),
    without: array(string(), { description: "dependencies nothing in the image needs" }),
    leaveOut: array(string(), {
      description: "paths not taken; a slash at the end names a directory",
    }),
    flavours: map(
      object(
        {
          kernel: string({ description: "package that depends on the current kernel package" }),
          packages: array(string(), { description: "further packages of this flavour" }),
        },
        ["kernel", "packages"],
      ),
    ),
  },
  ["release", "base", "tools", "without", "leaveOut", "flavours"],
);

/** `initramfs/packages.json`: what the image is made of, by name. */
export type Recipe = Infer<typeof RECIPE>;

export async function readRecipe(root: string): Promise<Recipe> {
  const text = await readFile(join(root, "initramfs/packages.json"), "utf8");
  return parseWith(RECIPE, JSON.parse(text), "initramfs/packages.json");
}

/** Packages that are resolved and fetched together. */
export interface PackageSet {
  readonly packages: readonly string[];
  /** Package that depends on the current kernel package; only that one is taken of what it brings. */
  readonly kernel?: string;
}

/** The sets a recipe describes: `base`, `tools` and one per flavour. */
export function packageSets(recipe: Recipe): Map<string, PackageSet> {
  const sets = new Map<string, PackageSet>([
    ["base", { packages: recipe.base }],
    ["tools", { packages: recipe.tools }],
  ]);
  for (const [name, { kernel, packages }] of Object.entries(recipe.flavours)) {
    sets.set(name, { kernel, packages });
  }
  return sets;
}

/** A real kernel package, as opposed to the one that always depends on the current. */
export const isKernelPackage = (name: string): boolean => /^linux-image-\d/.test(name);
