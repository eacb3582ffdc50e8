import { copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AgentError } from "../base/errors.ts";
import type { Toolbox } from "./toolbox.ts";

const SUFFIX = /\.ko(\.xz|\.zst|\.gz)?$/;

export interface ModuleLayout {
  /** Unpacked kernel package. */
  readonly kernelDir: string;
  readonly version: string;
  /** Text of the module list of a flavour (see `initramfs/modules/`). */
  readonly list: string;
  /** Text of the list of modules that are to be unpacked; they count as listed, too. */
  readonly plainList: string;
  /** Emptied first; the result is its `lib/modules/<version>`. */
  readonly workDir: string;
}

/**
 * Lays out the modules of a kernel: the listed ones and what they depend on, with fresh index files.
 */
export async function prepareModules(
  toolbox: Toolbox,
  { kernelDir, version, list, plainList, workDir }: ModuleLayout,
): Promise<void> {
  const all = join(kernelDir, "usr/lib/modules", version);
  const target = join(workDir, "lib/modules", version);
  await rm(workDir, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const indexDir = join(workDir, "index");
  await toolbox.run("sbin/depmod", ["-b", join(kernelDir, "usr"), "-o", indexDir, version]);
  const index = await findIndex(indexDir, version);
  const dependencies = parseDependencies(await readFile(join(index, "modules.dep"), "utf8"));
  const soft = parseSoftDependencies(await readFile(join(index, "modules.softdep"), "utf8"));
  const builtIn = (await readFile(join(all, "modules.builtin"), "utf8")).split("\n");
  const known = { dependencies, soft, builtIn };
  const plain = selectModules(parseModuleList(plainList), known);
  const wanted = new Set([...selectModules(parseModuleList(list), known), ...plain]);
  for (const path of wanted) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await copyFile(join(all, path), join(target, path));
  }
  const packed = plain.filter((path) => path.endsWith(".xz")).map((path) => join(target, path));
  if (packed.length > 0) await toolbox.run("bin/xz", ["--decompress", "--", ...packed]);
  for (const name of (await readdir(all)).filter((entry) => entry.startsWith("modules."))) {
    await copyFile(join(all, name), join(target, name));
  }
  await rm(indexDir, { recursive: true });
  await toolbox.run("sbin/depmod", ["-b", workDir, version]);
  await dropBinaryIndexes(target);
}

/** depmod looks for modules in `lib` or `usr/lib`, as it was built; the result lies in the same place. */
async function findIndex(dir: string, version: string): Promise<string> {
  for (const base of ["lib/modules", "usr/lib/modules"]) {
    const candidate = join(dir, base, version);
    if ((await readdir(candidate).catch(() => [])).length > 0) return candidate;
  }
  throw new AgentError(
    "E_IMAGE_MODULES",
    `Cannot index modules of ${version}: depmod wrote nothing`,
  );
}

/** Reads `modules.dep`: path of each module to the paths of those it needs. */
export function parseDependencies(text: string): Map<string, string[]> {
  const lines = text.split("\n").filter((line) => line.includes(":"));
  return new Map(
    lines.map((line) => {
      const [path = "", rest = ""] = line.split(":");
      return [path, rest.split(" ").filter((entry) => entry !== "")];
    }),
  );
}

/** Reads `modules.softdep`: module name to the names that should be there as well. */
export function parseSoftDependencies(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [keyword, name, ...words] = line.trim().split(/\s+/);
    if (keyword !== "softdep" || name === undefined) continue;
    const names = words.filter((word) => !word.endsWith(":"));
    found.set(name, [...(found.get(name) ?? []), ...names]);
  }
  return found;
}

/** Lines of a module list without comments. */
export function parseModuleList(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
}

/** What is known of the modules of one kernel; paths as in `modules.dep`. */
export interface ModuleIndex {
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  /** By module name, without directory and suffix. */
  readonly soft: ReadonlyMap<string, readonly string[]>;
  readonly builtIn: readonly string[];
}

/**
 * The listed modules and everything they need.
 *
 * @param patterns Paths below `kernel/` without suffix; a slash at the end takes a directory.
 * @throws AgentError `E_IMAGE_MODULES` for a pattern that matches nothing, built into the kernel or not.
 */
export function selectModules(
  patterns: readonly string[],
  { dependencies, soft, builtIn }: ModuleIndex,
): string[] {
  const byName = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const selected = new Set<string>();
  const take = (path: string): void => {
    if (selected.has(path)) return;
    selected.add(path);
    for (const needed of dependencies.get(path) ?? []) take(needed);
    for (const name of soft.get(moduleName(path)) ?? []) {
      const needed = byName.get(name.replaceAll("-", "_"));
      if (needed !== undefined) take(needed);
    }
  };
  for (const pattern of patterns) {
    const matches = [...dependencies.keys()].filter((path) => matchesPattern(path, pattern));
    if (matches.length === 0 && !builtIn.some((path) => matchesPattern(path, pattern))) {
      throw new AgentError(
        "E_IMAGE_MODULES",
        `Cannot select modules ${pattern}: no such module seen`,
      );
    }
    for (const path of matches) take(path);
  }
  return [...selected].sort();
}

function matchesPattern(path: string, pattern: string): boolean {
  const plain = path.replace(SUFFIX, "").replace(/^kernel\//, "");
  return pattern.endsWith("/") ? plain.startsWith(pattern) : plain === pattern;
}

function moduleName(path: string): string {
  return path.replace(/^.*\//, "").replace(SUFFIX, "").replaceAll("-", "_");
}

/** busybox reads the text files only. */
async function dropBinaryIndexes(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.endsWith(".bin") || name === "modules.builtin.modinfo") await rm(join(dir, name));
  }
}
