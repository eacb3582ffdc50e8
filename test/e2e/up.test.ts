import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identify, type ProcessIdentity } from "../../scripts/machine/process-identity.ts";
import type { Run, UpRecord } from "../../scripts/machine/up-record.ts";
import { OperatorClient } from "../../src/controller/operator-client.ts";
import type { NodeRecord } from "../../src/controller/types.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { readMounts } from "../../src/sys/mounts.ts";
import { ROOT } from "./support.ts";

interface Ended {
  readonly pid: number;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TWO_BOOTS_MS = 480_000;

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
  return runProgram(join(ROOT, program), args);
}

function runProgram(program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code);
      resolve({ pid: child.pid ?? 0, status, stdout, stderr });
    });
  });
}

/** The line a reader would copy, with `words` behind it; it needs no answer from anybody. */
function sshLine(report: string, ...words: readonly string[]): Promise<Ended> {
  const [program = "", ...args] = (/^ {2}(ssh .*)$/m.exec(report)?.[1] ?? "").split(" ");
  return runProgram(program, ["-o", "BatchMode=yes", "-o", "LogLevel=ERROR", ...args, ...words]);
}

/** What the controller of a run says of its machine, once that has reported. */
async function heardOf({ controller }: UpRecord): Promise<NodeRecord> {
  if (controller === null) throw new Error("the record names no controller");
  const { url, caFile, tokenFile, node } = controller;
  const client = new OperatorClient({ url, caFile, tokenFile });
  const heard = async (): Promise<NodeRecord> => {
    const [only, ...others] = await client.listNodes();
    expect(only).toMatchObject({ id: node, state: "approved" });
    expect(others).toEqual([]);
    return only as NodeRecord;
  };
  await expect.poll(async () => (await heard()).heartbeat, { timeout: 60_000 }).not.toBeNull();
  return await heard();
}

/** Pids of a run that still live. */
function left({ run: { processes } }: UpRecord): number[] {
  return processes.map(({ pid }) => pid).filter((pid) => identify(pid) !== null);
}

/** Mounts with the plain files of a private configuration that this process made. */
function mountsOf(pid: number): string[] {
  return readMounts(linuxFiles)
    .map(({ mountpoint }) => mountpoint)
    .filter((path) => path.includes(`node0-private-${pid}-`));
}

test.each(["direct", "ipxe"])(
  "up --boot %s leaves a machine and its controller in the background, down leaves nothing",
  async (boot) => {
    const up = await run("scripts/up", ["--state", state, "--boot", boot, "--json"]);
    expect(up.stderr).toContain("up: acceleration ");
    expect(up.status, up.stderr).toBe(0);
    const record = JSON.parse(up.stdout) as UpRecord;
    expect(JSON.parse(readFileSync(join(state, "up.json"), "utf8"))).toEqual(record);
    const done = record.timeline.filter((phase) => phase.state === "done").map((one) => one.phase);
    expect(done).toEqual(expect.arrayContaining(["unlock", "controller-tls", "ssh", "api"]));
    expect(record.image.initrdBytes).toBeGreaterThan(0);
    expect(record.serialLog).toBe(join(state, "serial.log"));

    expect(record.redis?.passwordFile).toBe(join(state, "private/machine/access/redis-password"));
    const context = ["--context", join(state, "context.json")];
    expect(await run("bin/node0", ["run", ...context, "--", "uname"])).toMatchObject({
      status: 0,
      stdout: "Linux\n",
    });

    const { hostname, addresses } = (await heardOf(record)).heartbeat ?? {};
    expect(addresses).toContain("eth0 10.0.2.15/24");
    expect(record.ssh).toMatchObject({ host: "127.0.0.1", user: "root" });
    expect(await sshLine(up.stderr, "hostname")).toMatchObject({
      status: 0,
      stdout: `${hostname}\n`,
      stderr: "",
    });
    const other = up.stderr.replace("HostKeyAlias=", "HostKeyAlias=not");
    expect(await sshLine(other, "hostname")).toMatchObject({
      status: 255,
      stderr: expect.stringContaining("Host key verification failed"),
    });

    const again = await run("scripts/up", ["--state", state]);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/one is running already .* stop it with scripts\/down/);

    expect(left(record)).toHaveLength(boot === "ipxe" ? 3 : 2);
    const down = await run("scripts/down", ["--state", state]);
    expect(down.stdout).toBe(`down: QEMU ${record.qemuPid} stopped\n`);
    expect(left(record)).toEqual([]);
    expect(existsSync(record.run.directory)).toBe(false);
    expect(readdirSync(state).sort()).toEqual(["controller", "private"]);
    expect(mountsOf(up.pid)).toEqual([]);
  },
);

test("a second up starts the same machine at the same controller, and its end ends the controller", {
  timeout: TWO_BOOTS_MS,
}, async () => {
  const start = async (): Promise<UpRecord> => {
    const up = await run("scripts/up", ["--state", state, "--json"]);
    expect(up.status, up.stderr).toBe(0);
    return JSON.parse(up.stdout) as UpRecord;
  };
  const texts = ({ ssh, controller, redis }: UpRecord): string[] =>
    [controller?.caFile, ssh?.knownHostsFile, ssh?.identityFile, redis?.passwordFile].map((path) =>
      readFileSync(path ?? "", "utf8"),
    );
  const first = await start();
  const before = texts(first);
  await run("scripts/down", ["--state", state]);
  const second = await start();
  expect(second.controller?.node).toBe(first.controller?.node);
  expect(texts(second)).toEqual(before);
  // Revision 1 still: the configuration was made once.
  expect(await heardOf(second)).toMatchObject({ revision: 1 });

  process.kill(second.qemuPid, "SIGKILL");
  await expect.poll(() => left(second), { timeout: 20_000 }).toEqual([]);
  const down = await run("scripts/down", ["--state", state]);
  expect(down.stdout).toBe(`down: QEMU ${second.qemuPid} had ended already, cleared up\n`);
});

test("up --no-controller starts a machine that stands alone", async () => {
  const up = await run("scripts/up", ["--state", state, "--no-controller", "--json"]);
  expect(up.status, up.stderr).toBe(0);
  const record = JSON.parse(up.stdout) as UpRecord;
  expect(record).toMatchObject({ ssh: null, controller: null });
  expect(record.timeline).toContainEqual(
    expect.objectContaining({ phase: "unlock", state: "skipped" }),
  );
  const context = ["--context", join(state, "context.json")];
  expect(await run("bin/node0", ["run", ...context, "--", "uname"])).toMatchObject({ status: 0 });
  await run("scripts/down", ["--state", state]);
  expect(readdirSync(state)).toEqual(["password"]);
});

test("up says why its controller did not start, and leaves nothing running", async () => {
  mkdirSync(join(state, "controller"));
  writeFileSync(join(state, "controller/controller.db"), "");
  const up = await run("scripts/up", ["--state", state]);
  expect(up.status).toBe(1);
  expect(up.stderr).toMatch(/up: Cannot start the controller of .*: Cannot find the master key/);
  expect(readdirSync(state).sort()).toEqual(["controller", "controller.log"]);
});

test("what a killed up left is cleared by down", async () => {
  const up = spawn(join(ROOT, "scripts/up"), ["--state", state], { stdio: "ignore" });
  const exit = once(up, "exit");
  const started = join(state, "starting.json");
  // The controller stands in it as soon as it serves.
  await expect.poll(() => processesIn(started).length, { timeout: 120_000 }).toBe(1);
  const pid = up.pid ?? 0;
  await expect.poll(() => mountsOf(pid), { timeout: 20_000, interval: 10 }).not.toEqual([]);
  const { directory } = JSON.parse(readFileSync(started, "utf8")) as Run;
  const [controller] = processesIn(started);
  up.kill("SIGKILL");
  await exit;
  const down = await run("scripts/down", ["--state", state]);
  expect(down).toMatchObject({
    status: 0,
    stdout: "down: no machine runs here, cleared up what a killed start left\n",
  });
  expect(identify(controller?.pid ?? 0)).toBeNull();
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(started)).toBe(false);
  expect(mountsOf(pid)).toEqual([]);
});

/** Processes of a run that is being started; none while there is no such run. */
function processesIn(path: string): readonly ProcessIdentity[] {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Run).processes : [];
}

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
  expect(facts.processes.map(({ pid }) => identify(pid))).toEqual([null, null]);
  expect(existsSync(facts.directory)).toBe(false);
  expect(readdirSync(state).sort()).toEqual(["controller", "private"]);
});

test("up says what is wrong with an option before it does anything", async () => {
  const up = await run("scripts/up", ["--state", state, "--memory", "much"]);
  expect(up).toMatchObject({ status: 2, stdout: "" });
  expect(up.stderr).toBe(
    "up: Cannot use --memory: much seen, expected a whole number from 256 to 262144\n",
  );
});
