import { expect, test } from "vitest";
import {
  checkManifest,
  formatManifest,
  MANIFEST_PATH,
  parseManifest,
} from "../../../src/vault/private-manifest.ts";
import type { UstarEntry } from "../../../src/vault/ustar.ts";

const file = (path: string, text: string): UstarEntry => ({
  kind: "file",
  path,
  isExecutable: false,
  content: Buffer.from(text),
});

const FILES = [file("b", "two"), file("a", "one")];
const withManifest = (files: readonly UstarEntry[]): UstarEntry[] => [
  ...files,
  file(MANIFEST_PATH, formatManifest(FILES)),
];

test("a manifest is what sha256sum writes, sorted by path", () => {
  // SHA-256 of "one" and "two".
  expect(formatManifest(FILES)).toBe(
    "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  a\n" +
      "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  b\n",
  );
});

test("files that are as they were made have no problem", () => {
  expect(checkManifest(withManifest(FILES))).toEqual([]);
});

test("a changed, a missing and a strange file are told by name", () => {
  expect(checkManifest(withManifest([file("a", "two"), file("c", "three")]))).toEqual([
    "b is missing",
    "a is damaged",
    "c does not belong there",
  ]);
});

test("without a manifest nothing is proven", () => {
  expect(checkManifest(FILES)).toEqual([`${MANIFEST_PATH} is missing`]);
  expect(checkManifest([...FILES, file(MANIFEST_PATH, "hello\n")])).toEqual([
    `${MANIFEST_PATH} is damaged`,
  ]);
});

test("a manifest of another form is no manifest", () => {
  expect(parseManifest("")?.size).toBe(0);
  expect(parseManifest(`${"0".repeat(63)}  a\n`)).toBeUndefined();
  expect(parseManifest(`${"0".repeat(64)} a\n`)).toBeUndefined();
});
