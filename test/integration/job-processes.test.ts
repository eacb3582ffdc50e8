import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { command as bash } from "../../src/api/commands/bash.ts";
import { command as system } from "../../src/api/commands/core/system.ts";
import type { NodeCommand } from "../../src/api/services.ts";
import { parseWith } from "../../src/base/schema.ts";
import { JobEngine } from "../../src/job/engine.ts";
import { NO_JOURNAL } from "../../src/job/journal.ts";
import type { Executable, JobResult } from "../../src/job/types.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxProcessTree } from "../../src/sys/process-tree.ts";
import { LinuxSpawner } from "../../src/sys/spawn-linux.ts";
import { RecordingSink } from "../fakes/job-sink.ts";
import { silentLog } from "../unit/job/harness.ts";

let sink: RecordingSink;
let spawner: LinuxSpawner;
let engine: JobEngine;
let nextId = 0;

beforeEach(() => {
  sink = new RecordingSink();
  spawner = new LinuxSpawner({ PATH: "/usr/bin:/bin", NODE_VALUE: "of the node" });
  engine = new JobEngine({
    resolve: (name) => COMMANDS[name],
    sink,
    clock: systemClock,
    spawn: spawner,
    processes: linuxProcessTree,
    journal: NO_JOURNAL,
    log: silentLog,
  });
});

afterEach(() => {
  spawner.stop();
});

const COMMANDS: Readonly<Record<string, Executable>> = {
  bash: executable(bash),
  "core.system": executable(system),
};

function executable(command: NodeCommand): Executable {
  if (command.kind !== "process") throw new Error(`${command.name} is not a program`);
  return { kind: "process", build: (args) => command.build(parseWith(command.args, args)) };
}

function submit(command: string, args: unknown, options: Record<string, unknown> = {}): string {
  nextId += 1;
  const id = `job-${nextId}`;
  engine.submit(JSON.stringify({ id, command, arguments: args, ...options }));
  return id;
}

const run = (command: string, args: unknown, options?: Record<string, unknown>) =>
  sink.resultOf(submit(command, args, options));

const script = (text: string, options?: Record<string, unknown>) =>
  run("bash", { script: text }, options);

/** Resolves when the job has printed `text` on either stream. */
function printed(id: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    engine.follow(id, {
      jobId: "test",
      message: (message) => {
        if (message?.text.includes(text) === true) resolve();
      },
    });
  });
}

test("a program's output and success", async () => {
  expect(await run("core.system", { name: "echo", args: ["hi"] })).toMatchObject({
    data: "",
    streams: ["hi\n", ""],
    level: 0,
    state: "SUCCESS",
    code: 0,
  });
});

test("both streams and the exit status", async () => {
  expect(await script("echo out; echo err >&2; exit 3")).toMatchObject({
    data: "",
    streams: ["out\n", "err\n"],
    level: 0,
    state: "ERROR",
    code: 1003,
  });
});

test("a missing script runs the placeholder, which no shell knows", async () => {
  expect(await run("bash", {})).toMatchObject({ state: "ERROR", code: 1127 });
});

test("a missing program", async () => {
  for (const name of ["no-such-program", "/no/such", "", "/etc", "/etc/passwd"]) {
    const result = await run("core.system", { name });
    expect(result, name).toMatchObject({ level: 0, state: "ERROR", code: 404 });
    expect(result).not.toHaveProperty("streams");
  }
});

test("a missing working directory", async () => {
  const result = await run("core.system", { name: "true", dir: "/no/such" });
  expect(result).toMatchObject({ level: 0, state: "ERROR", code: 0 });
  expect(result.data).toContain("/no/such");
  expect(result).not.toHaveProperty("streams");
});

test("a file that is not a program", async () => {
  const folder = mkdtempSync(join(tmpdir(), "node0-job-"));
  const file = join(folder, "garbage");
  writeFileSync(file, "\u007fELF garbage", { mode: 0o755 });
  const result = await run("core.system", { name: file });
  rmSync(folder, { recursive: true });
  expect(result).toMatchObject({ state: "ERROR", code: 0 });
  expect(result.data).toContain("ENOEXEC");
});

test("the working directory is the given one, else the root", async () => {
  expect((await run("core.system", { name: "pwd" })).streams?.[0]).toBe("/\n");
  expect((await run("core.system", { name: "pwd", dir: "/usr" })).streams?.[0]).toBe("/usr\n");
});

test("variables are added to the node's own", async () => {
  const { streams } = await run("core.system", { name: "env", env: { A: "1", B: "x=y" } });
  expect(streams?.[0].split("\n").sort()).toEqual(
    ["", "A=1", "B=x=y", "NODE_VALUE=of the node", "PATH=/usr/bin:/bin"].sort(),
  );
});

test("a PATH among the variables does not influence the look-up", async () => {
  const { streams } = await run("core.system", { name: "env", env: { PATH: "/nowhere" } });
  expect(streams?.[0]).toContain("PATH=/nowhere\n");
});

test("arguments are passed as they are", async () => {
  const args = ["%s|", "a b", "", "$HOME", "'\"\\", "ä€😀", "line\nend"];
  const { streams } = await run("core.system", { name: "printf", args });
  expect(streams?.[0]).toBe("a b||$HOME|'\"\\|ä€😀|line\nend|");
});

test("text for standard input", async () => {
  expect((await run("core.system", { name: "cat", stdin: "a\nb" })).streams?.[0]).toBe("a\nb");
});

test("a long text for standard input", async () => {
  const stdin = "x".repeat(1_000_000);
  const { streams } = await run("core.system", { name: "wc", args: ["-c"], stdin });
  expect(streams?.[0].trim()).toBe("1000000");
});

test("a program need not read its input", async () => {
  const stdin = "x".repeat(1_000_000);
  expect((await run("core.system", { name: "true", stdin })).state).toBe("SUCCESS");
});

test("without input standard input is the null device", async () => {
  const result = await script("readlink /proc/self/fd/0");
  expect(result.streams?.[0]).toBe("/dev/null\n");
});

test("a program inherits three descriptors, default signals and no blocked signal", async () => {
  const descriptors = await run("core.system", { name: "ls", args: ["/proc/self/fd"] });
  expect(descriptors.streams?.[0]).toBe("0\n1\n2\n3\n");
  const status = await run("core.system", {
    name: "grep",
    args: ["-E", "^Sig(Ign|Blk)", "/proc/self/status"],
  });
  expect(status.streams?.[0]).toMatch(/^SigBlk:\t0+\nSigIgn:\t0+\n$/);
});

test("every program leads a process group of its own", async () => {
  const result = await script("cut -d ' ' -f 5 /proc/$$/stat; echo $$");
  const [group, pid] = result.streams?.[0].split("\n") ?? [];
  expect(group).toBe(pid);
});

test("a signal reaches the whole process group", async () => {
  const id = submit("bash", { script: "sleep 100 & sleep 101 & echo ready; wait" });
  await printed(id, "ready");
  engine.kill(id, 15);
  expect(await sink.resultOf(id)).toMatchObject({ state: "ERROR", code: 999 });
});

test("a signal that is sent during the start arrives", async () => {
  const id = submit("core.system", { name: "sleep", args: ["100"] });
  engine.kill(id, 9);
  expect(await sink.resultOf(id)).toMatchObject({ state: "ERROR", code: 999 });
});

test("a program may handle its signal", async () => {
  const id = submit("bash", {
    script: "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done",
  });
  await printed(id, "ready");
  engine.kill(id, 15);
  const result = await sink.resultOf(id);
  expect(result).toMatchObject({ state: "ERROR", code: 1005 });
  expect(result.streams?.[0]).toBe("ready\nbye\n");
});

test("max_time ends a program", async () => {
  const result = await run("core.system", { name: "sleep", args: ["100"] }, { max_time: 1 });
  expect(result).toMatchObject({ streams: ["", ""], level: 0, state: "TIMEOUT", code: 999 });
  expect(result.time).toBeGreaterThanOrEqual(999);
});

test("a background child that holds a pipe keeps the job open", async () => {
  const result = await script("(sleep 0.3; echo late) & echo early");
  expect(result).toMatchObject({ streams: ["early\nlate\n", ""], state: "SUCCESS" });
});

test("a background child that left the group does not outlive a kill in the job list", async () => {
  const id = submit("bash", { script: "setsid sh -c 'echo ready; exec sleep 3' & wait" });
  await printed(id, "ready");
  engine.kill(id, 9);
  expect(await sink.resultOf(id)).toMatchObject({ state: "ERROR", code: 999 });
  expect(engine.list()).toEqual([]);
});

test("result and critical messages of a program", async () => {
  expect(await script(`echo '20::{"a":1}'`)).toMatchObject({
    data: '{"a":1}\n',
    streams: ["", ""],
    level: 20,
    state: "SUCCESS",
    code: 0,
  });
  expect(await script("echo '9::oh no'")).toMatchObject({
    data: "",
    critical: "oh no\n",
    level: 0,
  });
});

test("a message longer than the read buffer stays whole", async () => {
  const { data, level } = await script(
    "printf '20::'; head -c 300000 /dev/zero | tr '\\0' x; echo",
  );
  expect([level, data.length]).toEqual([20, 300_001]);
});

test("the stream of a program", async () => {
  const id = submit("bash", { script: "echo a; sleep .2; echo b >&2; exit 2" }, { stream: true });
  await sink.resultOf(id);
  expect(sink.textsOf(id)).toEqual(["a\n", "b\n", ""]);
  expect(sink.metasOf(id)).toEqual([65_537, 131_073, 131_077]);
});

test("a program that prints without end keeps its result small", async () => {
  const id = submit("bash", { script: "yes" }, { max_time: 1 });
  const result = await sink.resultOf(id);
  expect(result.state).toBe("TIMEOUT");
  expect(result.streams?.[0].length).toBeLessThanOrEqual(4 * 1024 * 1024);
});

test("many jobs at once leave no descriptor, no zombie and no row behind", async () => {
  await script("true");
  const before = readdirSync("/proc/self/fd").length;
  const results: Promise<JobResult>[] = [];
  for (let i = 0; i < 300; i += 1) results.push(script(`echo ${i}`, { queue: i % 3 ? "" : "q" }));
  const all = await Promise.all(results);
  expect(all.map(({ streams }) => streams?.[0])).toEqual(
    Array.from({ length: 300 }, (_, i) => `${i}\n`),
  );
  expect(readdirSync("/proc/self/fd").length).toBe(before);
  expect(engine.list()).toEqual([]);
  expect(zombies()).toEqual([]);
});

test("a job in the list shows the memory of its processes", async () => {
  const id = submit("core.system", { name: "sleep", args: ["100"] });
  const shell = submit("bash", { script: "echo ready; sleep 100" });
  await printed(shell, "ready");
  // Two programs may start at the same time: the later one can be the first to print.
  await expect.poll(() => engine.pids()).toHaveLength(2);
  const [row] = engine.list(shell);
  expect(row).toMatchObject({ pid: 0, swap: 0 });
  expect(row?.rss).toBeGreaterThan(100_000);
  expect(engine.list(id)[0]?.pid).toBe(engine.pids()[0]);
  engine.killAll();
  await Promise.all([sink.resultOf(id), sink.resultOf(shell)]);
});

function zombies(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, "utf8");
      } catch {
        return "";
      }
    })
    .filter((stat) => {
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" && parent === String(process.pid);
    });
}
