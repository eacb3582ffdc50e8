import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
let agent: ChildProcess;
let client: Redis;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "node0-recovery-"));
  await startAgent();
});

afterEach(async () => {
  client.disconnect();
  await stopAgent("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

async function startAgent(): Promise<void> {
  const words = ["agent", "--host", "--state-dir", folder, "--config", join(folder, "none")];
  agent = spawn(resolve("bin/node0"), words, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((ready, fail) => {
    let log = "";
    agent.stderr?.on("data", (text) => {
      log += text;
      if (log.includes("agent ready")) ready();
    });
    agent.once("exit", () => fail(new Error(`agent ended: ${log}`)));
  });
  client = new Redis({ path: join(folder, "redis.sock"), retryStrategy: () => null });
  // The connection ends with the agent, on purpose.
  client.on("error", () => {});
}

function stopAgent(signal: NodeJS.Signals): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return Promise.resolve();
  const ended = new Promise<void>((done) => agent.once("exit", () => done()));
  agent.kill(signal);
  return ended;
}

async function restartAfterCrash(): Promise<void> {
  await stopAgent("SIGKILL");
  client.disconnect();
  await startAgent();
}

const submit = (command: Record<string, unknown>) =>
  client.rpush("core:default", JSON.stringify(command));

async function result(id: string): Promise<Record<string, unknown>> {
  const text = await client.brpoplpush(`result:${id}`, `result:${id}`, 10);
  return JSON.parse(text ?? "null");
}

test("a job that ran when the agent was killed has a result and no process", async () => {
  // A name for the process that no other one has.
  const mark = `${process.pid}.75`;
  await submit({
    id: "lost",
    command: "bash",
    arguments: { script: `echo ready; sleep ${mark}` },
    stream: true,
  });
  await client.blpop("stream:lost", 10);
  await restartAfterCrash();
  expect(await result("lost")).toMatchObject({
    id: "lost",
    command: "bash",
    state: "ERROR",
    code: 999,
    critical: "agent restarted while the job was running",
  });
  expect(await client.ttl("result:lost:flag")).toBe(300);
  await submit({
    id: "look",
    command: "bash",
    // Every process of that name, or nothing within a second.
    arguments: {
      script: `for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -x -f 'sleep ${mark}' || exit 0; sleep 0.1; done`,
    },
  });
  expect(await result("look")).toMatchObject({ state: "SUCCESS" });
});

test("a job that waited in its queue has a result too", async () => {
  for (const id of ["first", "second"]) {
    const args = { name: "sleep", args: ["100"] };
    await submit({ id, command: "core.system", arguments: args, queue: "q" });
  }
  await restartAfterCrash();
  expect(await result("second")).toMatchObject({ state: "ERROR", code: 999 });
  expect(JSON.parse(String(await client.call("job.list", "{}")))).toMatchObject({
    state: "SUCCESS",
  });
});

test("a result survives the agent", async () => {
  await submit({ id: "done", command: "core.system", arguments: { name: "echo", args: ["hi"] } });
  const before = await result("done");
  await restartAfterCrash();
  expect(await result("done")).toEqual(before);
});
