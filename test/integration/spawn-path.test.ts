import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram } from "../../src/sys/spawn-path.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "node0-path-"));
  for (const name of ["first", "second"]) mkdirSync(join(folder, name));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function program(path: string, mode = 0o755): string {
  const file = join(folder, path);
  writeFileSync(file, "");
  chmodSync(file, mode);
  return file;
}

const find = (name: string, dir = "/") =>
  findProgram(name, dir, `${folder}/first:relative::${folder}/second`);

test("the first folder that holds the program counts", () => {
  const expected = program("first/tool");
  program("second/tool");
  expect(find("tool")).toBe(expected);
});

test("folders and files that are not executable are passed over", () => {
  mkdirSync(join(folder, "first/tool"));
  program("first/other", 0o644);
  expect([find("tool"), find("other")]).toEqual([undefined, undefined]);
  expect(find("tool")).toBeUndefined();
  expect(program("second/tool")).toBe(find("tool"));
});

test("a link to a program is a program, a broken one is not", () => {
  symlinkSync(program("first/tool"), join(folder, "second/link"));
  symlinkSync("/no/such", join(folder, "second/broken"));
  expect([find("link"), find("broken")]).toEqual([join(folder, "second/link"), undefined]);
});

test("a name with a slash is taken relative to the directory", () => {
  const file = program("first/tool");
  expect(find(file)).toBe(file);
  expect(find("./tool", join(folder, "first"))).toBe(file);
  expect(find("./tool", join(folder, "second"))).toBeUndefined();
});

test("neither an empty name nor one with a NUL is a program", () => {
  expect([find(""), find("to\0ol")]).toEqual([undefined, undefined]);
});
