import { expect, test } from "vitest";
import { isElf, readElfNeeds } from "../../../src/image/elf.ts";
import { listMissingNeeds } from "../../../src/image/zerotier.ts";
import { buildElf } from "./build-elf.ts";

const LOADER = "/lib64/ld-linux-x86-64.so.2";
const DYNAMIC = { interpreter: LOADER, libraries: ["libstdc++.so.6", "libc.so.6"] };
const IMAGE = new Set([
  "usr/lib64/ld-linux-x86-64.so.2",
  "usr/lib/x86_64-linux-gnu/libstdc++.so.6",
  "usr/lib/x86_64-linux-gnu/libc.so.6",
  "usr/bin/sh",
  "usr/bin/env",
  "usr/bin/node",
]);

const missing = (bytes: Buffer): string[] =>
  listMissingNeeds(bytes, { file: "zerotier-one", has: (path) => IMAGE.has(path) });

test("a dynamic program names its loader and its libraries", () => {
  expect(readElfNeeds(buildElf(DYNAMIC), "x")).toEqual(DYNAMIC);
});

test("a static program needs nothing", () => {
  const bytes = buildElf({ interpreter: null, libraries: [] });
  expect(readElfNeeds(bytes, "x")).toEqual({ interpreter: null, libraries: [] });
  expect(missing(bytes)).toEqual([]);
});

test("text is no program", () => {
  expect(isElf(Buffer.from("#!/bin/sh\n"))).toBe(false);
});

test("a program of another machine is refused by name", () => {
  const bytes = buildElf(DYNAMIC);
  bytes.writeUInt16LE(183, 18);
  expect(() => readElfNeeds(bytes, "/tmp/zt")).toThrow(
    "Cannot take /tmp/zt into the image: a program of another machine seen",
  );
});

test("a program that is cut off anywhere is refused or needs nothing more than the whole one", () => {
  const whole = buildElf(DYNAMIC);
  for (let length = 4; length < whole.length; length += 1) {
    const read = () => readElfNeeds(whole.subarray(0, length), "x");
    expect(read, `${length} bytes`).toThrow(expect.objectContaining({ code: "E_IMAGE_ELF" }));
  }
});

test("what an image lacks for a program is named", () => {
  expect(missing(buildElf(DYNAMIC))).toEqual([]);
  expect(missing(buildElf({ ...DYNAMIC, libraries: ["libc.so.6", "libssl.so.3"] }))).toEqual([
    "libssl.so.3",
  ]);
  expect(missing(buildElf({ ...DYNAMIC, interpreter: "/lib/ld-musl-x86_64.so.1" }))).toEqual([
    "/lib/ld-musl-x86_64.so.1",
  ]);
});

test.each([
  ["#!/bin/sh\nexit 0\n", []],
  ["#! /usr/bin/node --flag\n", []],
  ["#!/usr/bin/env node\n", []],
  ["#!/usr/bin/env -S A=1 node --flag\n", []],
  ["#!/usr/bin/env python3\n", ["python3"]],
  ["#!/usr/bin/python3\n", ["/usr/bin/python3"]],
  ["#!\n", ["an interpreter (no #! and no ELF)"]],
  ["echo\n", ["an interpreter (no #! and no ELF)"]],
  ["", ["an interpreter (no #! and no ELF)"]],
])("a script needs its interpreter: %j", (text, expected) => {
  expect(missing(Buffer.from(text))).toEqual(expected);
});
