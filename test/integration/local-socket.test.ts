import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalLimits } from "../../src/api/local-socket.ts";
import { openLocalSocket } from "../../src/api/local-socket.ts";
import { MessageHub } from "../../src/job/message-hub.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { HostAgent } from "./cli-agent.ts";

const agent = new HostAgent();
const path = join(agent.directory, "state/core.sock");
beforeAll(() => agent.start());
afterAll(() => agent.stop());

const refusal = (why: string | RegExp) => ({
  id: "",
  command: "",
  data: "",
  streams: ["", typeof why === "string" ? why : (expect.stringMatching(why) as string)],
  level: 0,
  state: "ERROR",
  code: 0,
  starttime: 0,
  time: 0,
  tags: null,
  container: 0,
});

/** Everything the node writes until it closes. */
async function answerOf(socket: Socket): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk as Buffer));
  await once(socket, "close");
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

/** Like the old tool: writes, does not close its side, reads to the end. */
async function ask(request: unknown, to = path): Promise<Record<string, unknown>> {
  const socket = createConnection(to);
  socket.write(typeof request === "string" ? request : JSON.stringify(request));
  return await answerOf(socket);
}

const command = (name: string, rest: object = {}): object => ({
  command: name,
  arguments: null,
  ...rest,
});

test("only root can open the socket", () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a command that is waited for answers with its result", async () => {
  const content = command("core.ping", { id: "ping-1", max_time: 5 });
  expect(await ask({ sync: true, container: "", content })).toMatchObject({
    id: "ping-1",
    command: "core.ping",
    state: "SUCCESS",
    level: 20,
    container: 0,
  });
  const args = { name: "sh", args: ["-c", "echo out; echo err >&2; exit 3"] };
  expect(
    await ask({ sync: true, content: { ...command("core.system"), arguments: args } }),
  ).toMatchObject({ state: "ERROR", code: 1003, streams: ["out\n", "err\n"] });
});

test("a command that is not waited for answers at once with its id; no flag, but a result", async () => {
  const args = { name: "sleep", args: ["0.3"] };
  const content = { id: "later", command: "core.system", arguments: args };
  const { streams: _, ...empty } = refusal("");
  const expected = { ...empty, id: "later", command: "core.system", state: "SUCCESS" };
  expect(await ask({ sync: false, content })).toStrictEqual(expected);
  const client = new Redis({ path: join(agent.directory, "state/redis.sock") });
  expect(await client.exists("result:later:flag")).toBe(0);
  const result = await client.brpoplpush("result:later", "result:later", 10);
  client.disconnect();
  expect(JSON.parse(result ?? "")).toMatchObject({ id: "later", state: "SUCCESS" });
});

test("without an id one is made", async () => {
  const { id, state } = await ask({ content: command("core.ping") });
  expect([id, state]).toStrictEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), "SUCCESS"]);
});

test("an id that is running already is refused", async () => {
  const args = { name: "sleep", args: ["30"] };
  const content = { id: "twice", command: "core.system", arguments: args };
  await ask({ content });
  expect(await ask({ sync: true, content })).toStrictEqual(refusal(/"twice".*known/));
  await ask({
    sync: true,
    content: command("job.kill", { arguments: { id: "twice", signal: 9 } }),
  });
});

test.each([
  [{ container: "web,db", content: {} }, /no container matches "web,db": containers are not in/],
  [{ container: "1", sync: true, content: {} }, /no container matches "1": containers are not/],
  [{ content: command("no.such") }, /unknown command/],
  [{ content: command("core.ping", { max_time: "x" }) }, /max_time: "x" seen, expected an integer/],
  [{ content: [1] }, /expected an object/],
  [{ sync: 1, content: {} }, /sync must be true or false/],
  [{ container: 7, content: {} }, /container must be a string/],
  ["[]", /an array seen, expected an object/],
  ["{]", /not JSON/],
  ["PING\r\n", /expected a JSON object/],
])("%j is refused in the form of a result", async (request, why) => {
  expect(await ask(request)).toStrictEqual(refusal(why));
});

test("a request that ends too early is refused", async () => {
  const socket = createConnection(path);
  socket.end('{"sync":true,');
  expect(await answerOf(socket)).toStrictEqual(refusal(/ends before its object does/));
});

test("a request may come in pieces, with more behind it", async () => {
  const socket = createConnection(path);
  const text = JSON.stringify({ sync: true, content: command("core.ping", { id: "pieces" }) });
  for (const half of [text.slice(0, 20), `${text.slice(20)}{"more":`]) {
    socket.write(half);
    await sleep(20);
  }
  expect(await answerOf(socket)).toMatchObject({ id: "pieces", state: "SUCCESS" });
});

describe("limits", () => {
  const directory = mkdtempSync(join(tmpdir(), "node0-local-"));
  const small = join(directory, "core.sock");
  const messages = new MessageHub(() => {});
  let close: () => void;
  beforeAll(async () => {
    const limits: LocalLimits = {
      maxConnections: 3,
      maxRequestBytes: 1000,
      requestTimeoutMs: 200,
      answerTimeoutMs: 1000,
    };
    const jobs = { start: () => async () => {}, startProgram: () => async () => {} };
    const log = new QuietLog();
    close = await openLocalSocket({ path: small, jobs, messages, clock: systemClock, log, limits });
  });
  afterAll(() => {
    close();
    rmSync(directory, { recursive: true });
  });

  test("a large request is refused", async () => {
    const request = { content: { arguments: "x".repeat(1000) } };
    expect(await ask(request, small)).toStrictEqual(refusal(/expected at most 1000 bytes/));
  });

  test("a request that does not come is refused after its time", async () => {
    expect(await ask("{", small)).toStrictEqual(refusal(/not complete within 200 ms/));
  });

  test("connections are bounded, and the end of their jobs makes room", async () => {
    const ids = ["a", "b", "c"];
    const waiting = ids.map(() => createConnection(small));
    for (const [at, socket] of waiting.entries()) {
      socket.write(JSON.stringify({ sync: true, content: { id: ids[at] } }));
    }
    await sleep(100);
    expect(await ask("{}", small)).toStrictEqual(refusal(/3 connections are open already/));
    // One has gone meanwhile.
    waiting[0]?.destroy();
    const answers = waiting.slice(1).map(answerOf);
    for (const id of ids)
      messages.finished({ ...refusal(""), streams: ["", ""], id, state: "ERROR" });
    expect((await Promise.all(answers)).map(({ id }) => id)).toStrictEqual(["b", "c"]);
    await sleep(50);
    expect(await ask({ content: {} }, small)).toMatchObject({ state: "SUCCESS" });
  });
});
