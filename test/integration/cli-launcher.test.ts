import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const LAUNCHER = join(import.meta.dirname, "../../bin/node0");
const VERSION = /^node0 \d+\.\d+\.\d+\n$/;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-launcher-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A launcher whose project has no Node of its own, and a PATH with what the test puts there. */
function bareProject(): { launcher: string; env: NodeJS.ProcessEnv } {
  const launcher = join(directory, "project/bin/node0");
  const tools = join(directory, "tools");
  mkdirSync(dirname(launcher), { recursive: true });
  mkdirSync(tools);
  copyFileSync(LAUNCHER, launcher);
  for (const tool of ["dirname", "readlink"]) symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
  return { launcher, env: { PATH: tools } };
}

function writeTool(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

test("starts from any directory and prints nothing but what was asked for", () => {
  const { stdout, stderr, status } = spawnSync(LAUNCHER, ["--version"], {
    cwd: "/",
    encoding: "utf8",
  });

  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  expect(stdout).toMatch(VERSION);
});

test("starts through a chain of relative and absolute links found in PATH", () => {
  mkdirSync(join(directory, "bin dir"));
  symlinkSync(LAUNCHER, join(directory, "first"));
  symlinkSync("../first", join(directory, "bin dir/node0"));
  const env = { PATH: `${join(directory, "bin dir")}:/usr/bin:/bin` };

  expect(execFileSync("node0", ["--version"], { env, cwd: "/", encoding: "utf8" })).toMatch(
    VERSION,
  );
});

test("hands its arguments on unchanged", () => {
  const { stderr, status } = spawnSync(LAUNCHER, ["a b*$HOME"], { encoding: "utf8" });

  expect(status).toBe(2);
  expect(stderr).toContain('"a b*$HOME"');
});

test("says what is missing when there is no Node", () => {
  const { launcher, env } = bareProject();
  const { stderr, status } = spawnSync(launcher, ["ping"], { env, encoding: "utf8" });

  expect(status).toBe(1);
  expect(stderr).toContain("Node.js 26 or later is missing");
});

test.each([
  ["refuses an older Node in PATH", "v25.9.0", 1],
  ["takes a newer Node in PATH", "v27.0.0", 42],
])("%s", (_name, version, exitCode) => {
  const { launcher, env } = bareProject();
  writeTool(
    join(directory, "tools/node"),
    `[ "$1" = --version ] && { echo ${version}; exit 0; }\nexit 42`,
  );

  expect(spawnSync(launcher, ["ping"], { env }).status).toBe(exitCode);
});

test("prefers the Node of the project", () => {
  const { launcher, env } = bareProject();
  const own = join(directory, "project/node_modules/node/bin");
  mkdirSync(own, { recursive: true });
  writeTool(join(own, "node"), 'for word; do printf "%s\\n" "$word"; done');
  const output = execFileSync(launcher, ["ping", "-o", "json"], { env, encoding: "utf8" });

  expect(output.trim().split("\n").slice(-4)).toEqual([
    join(directory, "project/src/main.ts"),
    "ping",
    "-o",
    "json",
  ]);
});

test("says that the boot service is not there yet", () => {
  const { stderr, status } = spawnSync(LAUNCHER, ["bootserver"], { encoding: "utf8" });

  expect(status).toBe(2);
  expect(stderr).toBe("node0: bootserver is not in this version\n");
});

test.each(["controller", "private"])("%s says how it is used", (part) => {
  const { stdout, status } = spawnSync(LAUNCHER, [part, "--help"], { encoding: "utf8" });

  expect(status).toBe(0);
  expect(stdout).toContain(`node0 ${part} `);
});
