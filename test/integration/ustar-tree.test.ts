import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { extractTree, writeTree } from "../../src/vault/ustar-tree.ts";

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "node0-ustar-"));
  mkdirSync(join(home, "in/ssh"), { recursive: true });
  mkdirSync(join(home, "in/empty"));
  writeFileSync(join(home, "in/ssh/key"), "secret", { mode: 0o644 });
  writeFileSync(join(home, "in/run"), "#!/bin/sh\n", { mode: 0o755 });
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(join(home, path)).mode & 0o7777).toString(8);

test("a tree that was packed and unpacked is the same, for its owner alone", () => {
  extractTree(writeTree(join(home, "in")), join(home, "out"));

  expect(readdirSync(join(home, "out"), { recursive: true }).sort()).toEqual(
    readdirSync(join(home, "in"), { recursive: true }).sort(),
  );
  expect(readFileSync(join(home, "out/ssh/key"), "utf8")).toBe("secret");
  expect(["out", "out/ssh", "out/ssh/key", "out/run"].map(modeOf)).toEqual([
    "700",
    "700",
    "600",
    "700",
  ]);
  expect(readdirSync(home).sort()).toEqual(["in", "out"]);
});

test("the archive of an unpacked archive is the same archive", () => {
  const archive = writeTree(join(home, "in"));
  extractTree(archive, join(home, "out"));
  expect(writeTree(join(home, "out"))).toEqual(archive);
});

test("tar reads what was packed, and what tar packed is read", () => {
  writeFileSync(join(home, "a.tar"), writeTree(join(home, "in")));
  mkdirSync(join(home, "out"));
  execFileSync("tar", ["-xf", join(home, "a.tar"), "-C", join(home, "out")]);
  expect(readFileSync(join(home, "out/ssh/key"), "utf8")).toBe("secret");

  const words = ["--format=ustar", "-cf", join(home, "b.tar"), "-C", join(home, "in")];
  execFileSync("tar", [...words, "ssh", "run", "empty"]);
  extractTree(readFileSync(join(home, "b.tar")), join(home, "again"));
  expect(writeTree(join(home, "again"))).toEqual(writeTree(join(home, "in")));
});

test("an older directory is replaced whole", () => {
  mkdirSync(join(home, "out"));
  writeFileSync(join(home, "out/left"), "");
  extractTree(writeTree(join(home, "in")), join(home, "out"));
  expect(existsSync(join(home, "out/left"))).toBe(false);
  expect(readdirSync(home).sort()).toEqual(["in", "out"]);
});

test("a damaged archive leaves the older directory alone", () => {
  mkdirSync(join(home, "out"));
  writeFileSync(join(home, "out/kept"), "kept");
  const archive = writeTree(join(home, "in"));
  expect(() => extractTree(archive.subarray(0, archive.length - 512), join(home, "out"))).toThrow(
    "Cannot read archive",
  );
  expect(readdirSync(join(home, "out"))).toEqual(["kept"]);
  expect(readdirSync(home).sort()).toEqual(["in", "out"]);
});

test("what an interrupted unpacking left is no obstacle, and no link there is followed", () => {
  mkdirSync(join(home, "elsewhere"));
  symlinkSync(join(home, "elsewhere"), join(home, "out.new"));
  extractTree(writeTree(join(home, "in")), join(home, "out"));
  expect(readdirSync(join(home, "elsewhere"))).toEqual([]);
  expect(readdirSync(home).sort()).toEqual(["elsewhere", "in", "out"]);
});

test("a link in the tree, or in place of it, is refused", () => {
  symlinkSync("/etc/hostname", join(home, "in/link"));
  expect(() => writeTree(join(home, "in"))).toThrow('"link" is neither file nor directory');
  symlinkSync(join(home, "in/ssh"), join(home, "tree"));
  expect(() => writeTree(join(home, "tree"))).toThrow(/ELOOP|ENOTDIR/);
});

test("a pipe is refused and not waited for", () => {
  execFileSync("mkfifo", [join(home, "in/pipe")]);
  expect(() => writeTree(join(home, "in"))).toThrow('"pipe" is neither file nor directory');
});
