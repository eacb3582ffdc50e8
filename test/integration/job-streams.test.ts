import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JobAgent } from "./support/job-agent.ts";

const END = 0b110;
const LINE_BYTES = 20_000_000;
const GIGABYTE = 1_000_000_000;

let agent: JobAgent;

beforeAll(async () => {
  agent = await JobAgent.start();
});
afterAll(() => agent?.stop());

interface Entry {
  readonly text: string;
  readonly level: number;
  readonly flags: number;
}

function parse(value: string): Entry {
  const { message } = JSON.parse(value) as { message: { message: string; meta: number } };
  return { text: message.message, level: message.meta >>> 16, flags: message.meta & 0xffff };
}

/** Reads a stream as the clients do, until its end. @param pauseMs Between two records. */
async function read(id: string, pauseMs = 0): Promise<Entry[]> {
  const client = agent.connect();
  const entries: Entry[] = [];
  try {
    for (;;) {
      const reply = await client.blpop(`stream:${id}`, 30);
      if (reply === null) throw new Error(`no end of stream ${id} after ${entries.length} records`);
      const entry = parse(reply[1]);
      entries.push(entry);
      if ((entry.flags & END) !== 0) return entries;
      await sleep(pauseMs);
    }
  } finally {
    client.disconnect();
  }
}

test("a gigabyte in a stream with a slow reader: memory is bounded and the end arrives", async () => {
  const before = agent.rssMiB();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, agent.rssMiB());
  }, 20);
  const script = `yes 'one line of output that is neither long nor short' | head -c ${GIGABYTE}`;
  await agent.submit({ id: "gigabyte", command: "bash", arguments: { script }, stream: true });
  const reading = read("gigabyte", 10);
  const result = await agent.result("gigabyte");
  const entries = await reading;
  clearInterval(watch);
  expect(result).toMatchObject({ state: "SUCCESS", code: 0 });
  const bytes = entries.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeLessThan(GIGABYTE);
  expect(entries.at(-1)).toEqual({ text: "", level: 1, flags: 0b11 });
  console.log(`agent ${before.toFixed(0)} MiB, at most ${peak.toFixed(0)} MiB`);
  expect(peak - before).toBeLessThan(500);
});

test("a single line of 20 MB is one message, in the result and in the stream", async () => {
  const script = `printf 20::; head -c ${LINE_BYTES} /dev/zero | tr '\\0' x; echo`;
  await agent.submit({ id: "line", command: "bash", arguments: { script }, stream: true });
  const { state, level, data } = await agent.result("line");
  expect([state, level, data.length, data.at(0), data.at(-1)]).toEqual([
    "SUCCESS",
    20,
    LINE_BYTES + 1,
    "x",
    "\n",
  ]);
  const [last] = (await read("line")).slice(-1);
  expect(last?.flags).toBe(0b11);
});

test("bytes of every value pass: what is no UTF-8 is replaced, the rest is kept", async () => {
  const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, value) => value));
  const script = `echo ${bytes.toString("base64")} | base64 -d`;
  await agent.submit({ id: "binary", command: "bash", arguments: { script }, stream: true });
  const text = (await read("binary")).map((entry) => entry.text).join("");
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join("");
  expect(text).toBe(ascii + "\ufffd".repeat(128));
  expect((await agent.result("binary")).streams).toEqual([text, ""]);
});

test.each([
  ["a program that is missing", { command: "core.system", arguments: { name: "no-such" } }],
  ["an unknown command", { command: "no.such" }],
  [
    "a program that is killed",
    { command: "core.system", arguments: { name: "sleep", args: ["99"] } },
  ],
])("the stream of %s has an end", async (name, command) => {
  await agent.submit({ id: name, ...command, stream: true });
  const reading = read(name);
  // Not known any more when it has ended by itself.
  await agent.client.call("job.kill", JSON.stringify({ id: name, signal: 9 }));
  expect((await reading).at(-1)).toEqual({ text: "", level: 2, flags: 0b101 });
});

test("a killed job is not in the list any more", async () => {
  for (const signal of [9, 15]) {
    const id = `killed-${signal}`;
    await agent.submit({ id, command: "core.system", arguments: { name: "sleep", args: ["99"] } });
    await agent.client.call("job.kill", JSON.stringify({ id, signal }));
    const list = JSON.parse(String(await agent.client.call("job.list"))) as { data: string };
    expect(list.data).not.toContain(id);
  }
});

test("a limit that a host cannot enforce fails the job", async () => {
  const command = { command: "core.system", arguments: { name: "true" } };
  await agent.submit({ id: "limited", ...command, limits: { memory: 1_000_000 } });
  expect(await agent.result("limited")).toMatchObject({ state: "ERROR", code: 503 });
});

test("named cgroups are refused where there is no cgroup v2", async () => {
  const answer = agent.client.call("cgroup.list");
  if (existsSync("/sys/fs/cgroup/cgroup.controllers")) {
    expect(JSON.parse(String(await answer))).toMatchObject({ state: "SUCCESS" });
  } else {
    await expect(answer).rejects.toThrow(/JOBERR 503 .* there is no cgroup v2/);
  }
});
