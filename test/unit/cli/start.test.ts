import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const SRC = join(import.meta.dirname, "../../../src");

/** What is loaded with a file: its imports and theirs, but not what it imports when it runs. */
function loadedWith(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    const text = readFileSync(join(SRC, path), "utf8")
      .replaceAll(/^(?:import|export) type [^;]*;$/gm, "")
      .replaceAll(/\bimport\(/g, "");
    for (const [, from = ""] of text.matchAll(/(?:\bfrom|^import)\s+"([^"]+)"/gm)) {
      if (from.startsWith(".")) visit(relative(SRC, join(SRC, dirname(path), from)));
      else packages.add(from);
    }
  };
  visit(entry);
  return { files, packages };
}

test("the tool starts without what single commands need", () => {
  const { files, packages } = loadedWith("cli/cli.ts");
  expect(files.has("cli/commands/top.ts")).toBe(true);
  expect([...packages].filter((name) => !name.startsWith("node:"))).toEqual([]);
  const late =
    /^client\/(generated|client|connect|events|methods)|^cli\/(top|support|fs)\/|completion-/;
  expect([...files].filter((path) => late.test(path))).toEqual([]);
});

test("what connects does not load the methods of all commands", () => {
  const { files } = loadedWith("client/connect.ts");
  expect(files.has("client/client.ts")).toBe(true);
  expect([...files].filter((path) => path.startsWith("client/generated/"))).toEqual([]);
});
