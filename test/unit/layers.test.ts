import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const SRC = join(ROOT, "src");
const MAX_LINES = 500;

/** Folders of `src` in the order of the import arrows: each may import from those before it. */
const LAYERS = [
  "base",
  "log",
  "sys",
  "events",
  "metrics",
  "config",
  "sequencer",
  "resp",
  "keyspace",
  "fuse",
  "service",
  "network",
  "vault",
  "flist",
  "command",
  "job",
  "records",
  "stats",
  "storage",
  "startup",
  "container",
  "vm",
  "api",
  "boot",
  "console",
  "controller",
  "image",
  "client",
  "cli",
  "agent.ts",
  "main.ts",
];

/** What a folder may import beside itself, where the rule is stricter than the order. */
const ONLY: Readonly<Record<string, readonly string[]>> = { cli: ["base", "client", "command"] };

/** Texts that belong to one machine or one mirror. Joined here so that this file does not hold them. */
const FORBIDDEN = [
  new RegExp(`(?<![\\w.-])/${"work"}/`),
  new RegExp(["registry", "npmjs"].join("\\.")),
  new RegExp(["registry", "yarnpkg"].join("\\.")),
  new RegExp(`\\b(?:deb|ftp|security|snapshot|cdn)(?:\\.\\w+)?\\.${"debian"}\\.org`),
];

interface SourceFile {
  /** Path below `src`. */
  readonly path: string;
  readonly text: string;
  /** Paths below `src`. */
  readonly imports: readonly string[];
  /** Those that happen while the file loads: neither imports of types alone nor `await import()`. */
  readonly loadImports: readonly string[];
}

const files = readSources();

test("src holds files, and imports between them are found", () => {
  expect(files.length).toBeGreaterThan(20);
  expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThan(20);
});

test("every folder of src has a place in the order of layers", () => {
  const unknown = new Set(
    files.map(({ path }) => layerOf(path)).filter((l) => !LAYERS.includes(l)),
  );
  expect([...unknown]).toStrictEqual([]);
});

test("imports point to earlier layers only", () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports.filter((target) => !mayImport(path, target)).map((target) => `${path} → ${target}`),
  );
  expect(wrong).toStrictEqual([]);
});

test("files load without a cycle", () => {
  expect(findCycle(files)).toStrictEqual([]);
});

test("a cycle would be found", () => {
  const file = (path: string, target: string) => ({
    path,
    text: "",
    imports: [],
    loadImports: [target],
  });
  expect(findCycle([file("a", "b"), file("b", "c"), file("c", "b")])).toStrictEqual([
    "b",
    "c",
    "b",
  ]);
});

test(`no file of src is longer than ${MAX_LINES} lines`, () => {
  const long = files.filter(({ text }) => text.trimEnd().split("\n").length > MAX_LINES);
  expect(long.map(({ path }) => path)).toStrictEqual([]);
});

test("no file names a path of one machine, a package registry or a mirror", () => {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const names = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0");
  const found = names.filter(Boolean).flatMap((name) => {
    const text = readIfPresent(join(ROOT, name));
    return FORBIDDEN.filter((pattern) => pattern.test(text)).map(
      (pattern) => `${name}: ${pattern}`,
    );
  });
  expect(found).toStrictEqual([]);
});

/** The agent is put together in files beside the folders, `agent.ts` and `agent-*.ts`. */
function layerOf(path: string): string {
  const [first = path] = path.split("/");
  return /^agent-[a-z-]+\.ts$/.test(first) ? "agent.ts" : first;
}

function mayImport(from: string, to: string): boolean {
  const [source, target] = [layerOf(from), layerOf(to)];
  if (source === target || to === "../package.json") return true;
  if (ONLY[source] !== undefined) return ONLY[source].includes(target);
  return LAYERS.indexOf(target) < LAYERS.indexOf(source);
}

/** Paths of the first cycle found, its first file repeated at the end; empty if there is none. */
function findCycle(all: readonly SourceFile[]): string[] {
  const targets = new Map(all.map(({ path, loadImports }) => [path, loadImports]));
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return [];
    for (const target of targets.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    finished.add(path);
    return [];
  };
  return all.map(({ path }) => visit(path, [])).find((cycle) => cycle.length > 0) ?? [];
}

function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => {
      const text = readFileSync(join(SRC, path), "utf8");
      const loadText = text
        .replaceAll(/^(?:import|export) type [^;]*;$/gm, "")
        .replaceAll(/\bimport\(/g, "");
      return {
        path,
        text,
        imports: importsOf(path, text),
        loadImports: importsOf(path, loadText),
      };
    });
}

/** Static and dynamic imports of files beside or above, as paths below `src`. */
function importsOf(path: string, text: string): string[] {
  const specifiers = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g);
  return [...specifiers].map(([, specifier = ""]) =>
    relative(SRC, join(SRC, dirname(path), specifier)),
  );
}

/** A file that is listed but was removed from the tree is empty. */
function readIfPresent(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
