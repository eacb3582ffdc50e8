import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseUpOptions } from "../../../scripts/machine/up-options.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-options-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

test("needs no options", () => {
  expect(parseUpOptions([])).toEqual({
    memoryMiB: 1024,
    cpus: 2,
    nics: 1,
    boot: "direct",
    append: "",
    diskPath: null,
    hasController: true,
    stateDirectory: null,
    isJson: false,
    isForeground: false,
    isHelp: false,
  });
});

test("takes every option", () => {
  const disk = join(directory, "disk.img");
  writeFileSync(disk, "");
  const given = "--memory 2048 --cpus 4 --nics 2 --boot ipxe --json --foreground".split(" ");
  const named = ["--append", "debug quiet", "--disk", disk, "--zerotier", "ABCDEF0123456789"];
  expect(parseUpOptions([...given, ...named])).toMatchObject({
    memoryMiB: 2048,
    cpus: 4,
    nics: 2,
    boot: "ipxe",
    append: "debug quiet zerotier=abcdef0123456789",
    diskPath: disk,
    isJson: true,
    isForeground: true,
  });
});

test.each([["--no-controller"], ["--nics", "0"]])(
  "boots without a controller with %j",
  (...argv) => {
    expect(parseUpOptions(argv).hasController).toBe(false);
  },
);

test.each([
  [["--memory", "1G"], "Cannot use --memory: 1G seen, expected a whole number from 256 to 262144"],
  [["--memory", "100"], "Cannot use --memory: 100 seen"],
  [["--cpus", "0"], "Cannot use --cpus: 0 seen, expected a whole number from 1 to 64"],
  [["--cpus", "1.5"], "Cannot use --cpus: 1.5 seen"],
  [["--nics", "9"], "Cannot use --nics: 9 seen, expected a whole number from 0 to 8"],
  [["--nics", ""], "Cannot use --nics:  seen"],
  [["--boot", "pxe"], "Cannot use --boot: pxe seen, expected direct or ipxe"],
  [["--boot", "ipxe", "--nics", "0"], "Cannot use --nics: 0 seen, expected at least 1"],
  [["--append", "a\nb"], "Cannot use --append"],
  [["--append", "x".repeat(1501)], "Cannot use --append"],
  [["--zerotier", "123"], "Cannot use --zerotier: 123 seen, expected 16 hexadecimal digits"],
  [["--disk", "/nonexistent/disk"], "Cannot use --disk: /nonexistent/disk (ENOENT"],
  [["--disk", "/"], "Cannot use --disk: / seen, expected a file or block device"],
  [["--colour"], "Cannot read the options: Unknown option '--colour'"],
  [["word"], "Cannot read the options"],
])("refuses %j and says what is allowed", (argv, message) => {
  expect(() => parseUpOptions(argv)).toThrow(message);
});
