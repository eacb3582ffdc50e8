import {
  connect,
  JobError,
  type NodeClient,
  type NodeEvent,
  type StreamMessage,
} from "node0/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";

const agent = new HostAgent();
let client: NodeClient;

beforeAll(async () => {
  await agent.start();
  const { port, passwordFile } = agent;
  client = await connect({ port, passwordFile });
});
afterAll(async () => {
  client?.close();
  await agent.stop();
});

const textOf = (messages: readonly StreamMessage[]) =>
  messages
    .filter(({ level }) => level === 1)
    .map(({ text }) => text)
    .join("");

test("methods return typed values, programs their result", async () => {
  expect(await client.core.ping()).toMatch(/^PONG /);
  const { total } = await client.info.mem();
  expect(total).toBeGreaterThan(1e6);
  const { state, code, streams } = await client.bash({ script: "echo hi; exit 3" });
  expect({ state, code, streams }).toEqual({ state: "ERROR", code: 1003, streams: ["hi\n", ""] });
});

test("a value that cannot be had is an error with the code of the job", async () => {
  const error = await client.process.kill({ pid: 1 }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(JobError);
  expect(error).toMatchObject({ code: "E_JOB_FAILED", jobCode: 500, command: "process.kill" });
});

test("a stream is a loop over messages, with the result after it", async () => {
  const job = client.stream("bash", { script: "for i in 1 2 3; do echo $i; sleep 0.05; done" });
  const messages: StreamMessage[] = [];
  for await (const message of job) messages.push(message);
  expect(textOf(messages)).toBe("1\n2\n3\n");
  expect(messages.at(-1)?.isLast).toBe(true);
  expect(await job.result()).toMatchObject({ id: job.id, state: "SUCCESS" });
});

test("a loop that takes its time still gets everything", async () => {
  const job = client.stream("bash", { script: "for i in 1 2 3 4; do echo $i; sleep 0.02; done" });
  const messages: StreamMessage[] = [];
  for await (const message of job) {
    // Longer than the client waits for messages behind the result.
    if (messages.length === 1) await new Promise((resolve) => setTimeout(resolve, 2300));
    messages.push(message);
  }
  expect(textOf(messages)).toBe("1\n2\n3\n4\n");
});

test("the result can be had without a loop", async () => {
  const job = client.stream("bash", { script: "echo one; sleep 0.1; echo two" });
  expect((await job.result()).streams?.[0]).toBe("one\ntwo\n");
});

test("a loop that is left early ends the listening, not the job", async () => {
  const job = client.stream("bash", { script: "echo one; sleep 0.3; echo two" });
  for await (const { text } of job) if (text === "one\n") break;
  await expect(job.result()).rejects.toMatchObject({ code: "E_ABORTED" });
  expect((await client.wait(job.id)).streams?.[0]).toBe("one\ntwo\n");
});

test("several can follow one job; nobody can follow one that is not known", async () => {
  const id = await client.start("bash", { script: "echo a; sleep 0.4; echo b; exit 4" });
  const followed = async () => {
    const messages: StreamMessage[] = [];
    for await (const message of client.follow(id)) messages.push(message);
    expect(new Set(messages.map(({ jobId }) => jobId))).toEqual(new Set([id]));
    return textOf(messages);
  };
  expect(await Promise.all([followed(), followed()])).toEqual(["a\nb\n", "a\nb\n"]);
  await expect(client.follow("no-such").next()).rejects.toMatchObject({ jobCode: 500 });
});

test("events of a job end with its result; those of the log go on", async () => {
  const log = client.events("log", { timeoutMs: 20_000 });
  const first = log.next();
  const id = await client.start("bash", { script: "sleep 0.2; echo seen" });
  const events: NodeEvent[] = [];
  for await (const event of client.events(`job:${id}`)) events.push(event);
  expect(events.at(-1)).toMatchObject({ kind: "result", result: { id, state: "SUCCESS" } });
  expect(events).toContainEqual(
    expect.objectContaining({ message: expect.objectContaining({ text: "seen\n", jobId: id }) }),
  );
  expect((await first).value).toMatchObject({ kind: "message" });
  await log.return();
  await expect(client.events("job:no-such").next()).rejects.toMatchObject({ code: "E_REFUSED" });
});

test("a slow loop over events gets all of them, or is told how many it missed", async () => {
  const count = 40_000;
  const id = await client.start("bash", { script: `sleep 0.3; seq -f "3::%07.0f" 1 ${count}` });
  let seen = 0;
  let missed = 0;
  let last = "";
  for await (const event of client.events(`job:${id}`)) {
    if (event.kind === "missed") missed += event.count;
    if (event.kind === "result") expect(event.result.state).toBe("SUCCESS");
    if (event.kind !== "message" || event.message.level !== 3) continue;
    if (seen === 0) await new Promise((resolve) => setTimeout(resolve, 700));
    expect(event.message.text > last).toBe(true);
    last = event.message.text;
    seen += 1;
  }
  expect(seen).toBeGreaterThan(1000);
  // The end of the job is a message as well, and may be among those.
  expect(seen + missed).toBeGreaterThanOrEqual(count);
  expect(seen + missed).toBeLessThanOrEqual(count + 1);
});

test("events end with their time limit and with the connection", async () => {
  const boot = client.events("boot", { timeoutMs: 300 });
  await expect(boot.next()).rejects.toMatchObject({ code: "E_DEADLINE" });
  const { port, passwordFile } = agent;
  const other = await connect({ port, passwordFile });
  const next = other.events("log").next();
  // The subscription is sent before the connection is closed.
  await other.ping();
  other.close();
  await expect(next).rejects.toMatchObject({ code: "E_CONNECTION_LOST" });
});
