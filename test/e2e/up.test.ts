import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identify } from "../../scripts/machine/process-identity.ts";
import type { UpRecord } from "../../scripts/machine/up-record.ts";
import { ROOT } from "./support.ts";

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

let state: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "node0-up-"));
});
afterEach(async () => {
  await run("scripts/down", ["--state", state]);
  rmSync(state, { recursive: true });
});

/** Runs a program of the checkout to its end. */
function run(program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(join(ROOT, program), args, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test.each(["direct", "ipxe"])(
  "up --boot %s leaves a machine in the background, down leaves nothing",
  async (boot) => {
    const up = await run("scripts/up", ["--state", state, "--boot", boot, "--json"]);
    expect(up.stderr).toContain("up: acceleration ");
    expect(up.status).toBe(0);
    const record = JSON.parse(up.stdout) as UpRecord;
    expect(JSON.parse(readFileSync(join(state, "up.json"), "utf8"))).toEqual(record);
    expect(record.timeline.map(({ phase }) => phase)).toContain("api");
    expect(record.image.initrdBytes).toBeGreaterThan(0);
    expect(record.serialLog).toBe(join(state, "serial.log"));

    const context = ["--context", join(state, "context.json")];
    expect(await run("bin/node0", ["run", ...context, "--", "uname"])).toMatchObject({
      status: 0,
      stdout: "Linux\n",
    });

    const again = await run("scripts/up", ["--state", state]);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/one is running already .* stop it with scripts\/down/);

    const down = await run("scripts/down", ["--state", state]);
    expect(down.stdout).toBe(`down: QEMU ${record.qemuPid} stopped\n`);
    expect(record.run.processes.map(({ pid }) => identify(pid))).toEqual(
      record.run.processes.map(() => null),
    );
    expect(existsSync(record.run.directory)).toBe(false);
    expect(readdirSync(state)).toEqual(["password"]);
  },
);

test("up ends its machine when it is interrupted, however often", async () => {
  const up = spawn(join(ROOT, "scripts/up"), ["--state", state], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(up, "exit");
  let said = "";
  up.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect.poll(() => existsSync(join(state, "up.json")), { timeout: 60_000 }).toBe(true);
  const { run: facts } = JSON.parse(readFileSync(join(state, "up.json"), "utf8")) as UpRecord;
  up.kill("SIGINT");
  up.kill("SIGINT");
  expect(await exit, said).toEqual([130, null]);
  expect(facts.processes.map(({ pid }) => identify(pid))).toEqual([null]);
  expect(existsSync(facts.directory)).toBe(false);
  expect(readdirSync(state)).toEqual(["password"]);
});

test("up says what is wrong with an option before it does anything", async () => {
  const up = await run("scripts/up", ["--state", state, "--memory", "much"]);
  expect(up).toMatchObject({ status: 2, stdout: "" });
  expect(up.stderr).toBe(
    "up: Cannot use --memory: much seen, expected a whole number from 256 to 262144\n",
  );
});
