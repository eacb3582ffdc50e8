import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requireHostTools } from "../../../scripts/machine/host-tools.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-tools-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function install(...programs: readonly string[]): void {
  for (const program of programs) {
    writeFileSync(join(directory, program), "");
    chmodSync(join(directory, program), 0o755);
  }
}

test("is content when all programs are found", () => {
  install("gocryptfs", "fusermount3", "ssh-keygen");
  expect(() => requireHostTools(`/nonexistent:${directory}`, "/dev/null")).not.toThrow();
});

test("names each missing program with its package, and the way without", () => {
  install("ssh-keygen");
  expect(() => requireHostTools(directory, "/dev/null")).toThrow(
    "Cannot make a private configuration: no gocryptfs (package gocryptfs), " +
      "no fusermount3 (package fuse3); --no-controller does without",
  );
});

test("names the device of FUSE when it cannot be opened", () => {
  install("gocryptfs", "fusermount3", "ssh-keygen");
  expect(() => requireHostTools(directory, "/nonexistent/fuse")).toThrow(
    "no /nonexistent/fuse this user may open (kernel module fuse)",
  );
});
