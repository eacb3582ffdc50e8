import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { array, type Infer, map, object, parseWith, string } from "../base/schema.ts";
import type { Apt, AptPackage } from "./apt.ts";
import { isKernelPackage, type PackageSet, packageSets, type Recipe } from "./recipe.ts";

const LOCK = object(
  {
    release: string(),
    sets: map(
      array(
        object({ name: string(), version: string(), sha256: string(), path: string() }, [
          "name",
          "version",
          "sha256",
          "path",
        ]),
      ),
    ),
  },
  ["release", "sets"],
);

/** `initramfs/packages.lock.json`: each set with the exact packages, sorted by name. */
export type PackageLock = Infer<typeof LOCK>;

const FILE = "initramfs/packages.lock.json";

export async function readLock(root: string): Promise<PackageLock> {
  return parseWith(LOCK, JSON.parse(await readFile(join(root, FILE), "utf8")), FILE);
}

export async function writeLock(root: string, lock: PackageLock): Promise<void> {
  await writeFile(join(root, FILE), `${JSON.stringify(lock, null, 2)}\n`);
}

/** Resolves every set of the recipe against the current lists. */
export async function resolveLock(apt: Apt, recipe: Recipe): Promise<PackageLock> {
  const sets: Record<string, AptPackage[]> = {};
  for (const [name, set] of packageSets(recipe)) {
    sets[name] = await resolveSet(apt, recipe, set);
  }
  return { release: recipe.release, sets };
}

/**
 * Packages of one set. A kernel's own dependencies build its boot files on an installed system;
 * here the image builder does that, so of those only the kernel itself is taken.
 */
export async function resolveSet(
  apt: Apt,
  recipe: Recipe,
  { packages, kernel }: PackageSet,
): Promise<AptPackage[]> {
  const found = packages.length === 0 ? [] : await apt.closure(packages);
  const brought = kernel === undefined ? [] : await apt.closure([kernel]);
  const kernels = brought.filter((entry) => isKernelPackage(entry.name));
  const absent = packages.find((name) => !found.some((entry) => entry.name === name));
  if (absent !== undefined || (kernel !== undefined && kernels.length === 0)) {
    throw new AgentError(
      "E_IMAGE_PACKAGE",
      `Cannot find package ${absent ?? kernel}: nothing seen on the mirror, expected a version`,
    );
  }
  return [...found.filter((entry) => !recipe.without.includes(entry.name)), ...kernels];
}

/** Names a lock by its contents. */
export function hashLock(lock: PackageLock): string {
  return createHash("sha256").update(JSON.stringify(lock)).digest("hex");
}
