import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";

/** Where `scripts/setup` puts the Python client library. */
const PYTHON_PACKAGES = resolve(".node0/cache/python");
const run = promisify(execFile);

/** What a program written for the protocol sees, whichever way it connects. */
const SEEN = {
  ping: "PONG",
  info: {
    cpu: "list",
    mem: "dict",
    disk: "list",
    nic: "list",
    os: "dict",
    port: "list",
    version: "dict",
  },
  system: { state: "ERROR", code: 1003, level: 0, streams: ["in\n/usr\n", "b\n"], data: "" },
  bash: { data: { a: [1] }, tags: ["t"], streams: ["", "in"] },
  jobs: {
    command: "core.system",
    tags: ["s"],
    cmdline: ["sleep 100"],
    killed: true,
    end: ["ERROR", 999],
    unknown: false,
    gone: [],
  },
  streams: {
    out: ["1\n2\n3\n", "1\n2\n3\n"],
    err: ["err\n", "err\n"],
    note: ["note\n", "note\n"],
    end: ["SUCCESS", "SUCCESS"],
  },
  queue: { apart: true, limited: "TIMEOUT" },
  logs: { key: true, message: "a mark\n" },
  statistics: { "NAME/x": 7 },
  lists: {
    bridges: "list",
    disks: "list",
    rules: "list",
    config: ["containers", "extension", "globals", "logger", "main", "stats"],
    state: ["cpu", "rss", "swap", "vms"],
  },
  files: {
    same: true,
    list: [
      ["d", true],
      ["two", false],
    ],
    mode: 0o600,
    exists: false,
    left: ["two"],
    error: 500,
  },
  unknown: "UNKNOWN_CMD",
};

describe.skipIf(!existsSync(PYTHON_PACKAGES))(
  "a program for the protocol, on redis-py (needs what scripts/setup installs)",
  () => {
    const agent = new HostAgent();
    beforeAll(() => agent.start());
    afterAll(() => agent.stop());

    test.concurrent.each(["plain", "tls"])("uses every family over %s", async (transport) => {
      const folder = join(agent.directory, transport);
      mkdirSync(folder);
      const fixture = resolve("test/fixtures/node-client.py");
      const words = [fixture, String(agent.port), folder, transport];
      const { stdout } = await run("python3", words, {
        env: { ...process.env, PASSWORD: "correct horse", PYTHONPATH: PYTHON_PACKAGES },
        timeout: 60_000,
      });
      expect(JSON.parse(stdout)).toEqual(SEEN);
    });
  },
);
