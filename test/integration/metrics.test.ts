import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MetricsListeners } from "../../src/api/metrics-listen.ts";
import { MetricsServer } from "../../src/metrics/metrics-server.ts";
import { ProcessMonitor } from "../../src/metrics/process-monitor.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { type ParsedFamily, parseExposition } from "../fakes/exposition-parser.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { NODE0 } from "./cli-agent.ts";

const directory = mkdtempSync(join(tmpdir(), "node0-metrics-"));
const socket = join(directory, "state/redis.sock");
let port: number;
let agent: ChildProcess;
let client: Redis;

beforeAll(async () => {
  port = await freePort();
  mkdirSync(join(directory, "state"));
  const config = join(directory, "node0.toml");
  writeFileSync(config, `[metrics]\nlisten = ["127.0.0.1:${port}", "[::1]:${port}"]\n`);
  const args = ["agent", "--host", "--state-dir", join(directory, "state"), "--config", config];
  agent = spawn(NODE0, args, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: agent.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      if (line.includes('"agent ready"')) resolve();
    });
    agent.once("exit", (code) => reject(new Error(`the agent ended with ${code}`)));
  });
  client = new Redis({ path: socket });
});
afterAll(async () => {
  client.disconnect();
  const exit = once(agent, "exit");
  agent.kill("SIGTERM");
  await exit;
  rmSync(directory, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return free;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

async function read(path = "/metrics", method = "GET", host = "127.0.0.1"): Promise<Answer> {
  const sent = request({ host, port, path, method, agent: false }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const chunks = await answer.toArray();
  const text = Buffer.concat(chunks as Buffer[]).toString();
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

async function families(): Promise<Map<string, ParsedFamily>> {
  return parseExposition((await read()).text);
}

const figure = (
  all: Map<string, ParsedFamily>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined =>
  all
    .get(name)
    ?.samples.find((sample) =>
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )?.value;

test("the text is that of the format, on every address", async () => {
  const { status, headers, text } = await read();
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const names = [...parseExposition(text).keys()];
  expect(names.length).toBeGreaterThan(40);
  expect(names.every((name) => /^(?:node0|process)_/.test(name))).toBe(true);
  const other = await read("/metrics", "GET", "::1");
  expect([...parseExposition(other.text).keys()]).toStrictEqual(names);
});

test("what happens on the node is in the figures", async () => {
  const before = await families();
  await client.call("core.ping");
  await client.call("core.system", '{"name":"false"}').catch(() => {});
  await client.set("a", "b");
  const running = client.call("core.system", '{"name":"sleep","args":["0.5"]}');
  await sleep(200);
  const after = await families();
  const grown = (name: string, labels: Record<string, string> = {}): number =>
    (figure(after, name, labels) ?? Number.NaN) - (figure(before, name, labels) ?? Number.NaN);
  expect(grown("node0_jobs_finished_total", { state: "SUCCESS" })).toBe(1);
  expect(grown("node0_jobs_finished_total", { state: "ERROR" })).toBe(1);
  expect(figure(after, "node0_jobs", { phase: "running" })).toBe(1);
  expect(grown("node0_keyspace_keys")).toBeGreaterThan(2);
  expect(grown("node0_endpoint_commands_total")).toBe(4);
  expect(grown("node0_endpoint_received_bytes_total")).toBeGreaterThan(50);
  expect(figure(after, "process_resident_memory_bytes")).toBeGreaterThan(20e6);
  expect(figure(after, "process_open_fds")).toBeGreaterThan(5);
  await running;
});

test("statistics of jobs are metrics too", async () => {
  const script = "echo '10::room.temperature:21.5|A|id=attic'; echo '10::plain:3|A'";
  await client.call("core.system", JSON.stringify({ name: "sh", args: ["-c", script] }));
  const all = await families();
  expect(figure(all, "node0_statistic", { metric: "room.temperature", id: "attic" })).toBe(21.5);
  expect(figure(all, "node0_statistic", { metric: "plain", id: "" })).toBe(3);
});

test("nothing else is there, and nothing can be changed", async () => {
  expect((await read("/")).status).toBe(404);
  expect((await read("/metrics/..%2f")).status).toBe(404);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const { status, headers } = await read("/metrics", method);
    expect([status, headers.allow]).toStrictEqual([405, "GET, HEAD"]);
  }
  const head = await read("/metrics", "HEAD");
  expect([head.status, head.text]).toStrictEqual([200, ""]);
});

test("a large header is refused, a slow request is closed", async () => {
  const sent = get({ host: "127.0.0.1", port, path: "/metrics", headers: { x: "y".repeat(9000) } });
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(431);
  const slow = createConnection(port, "127.0.0.1");
  slow.write("GET /metrics HTTP/1.1\r\nHost: x\r\n");
  let got = "";
  slow.on("data", (chunk) => {
    got += chunk;
  });
  await once(slow, "close");
  expect(got).toMatch(/^HTTP\/1\.1 408 /);
}, 20_000);

test("connections are bounded, and the agent goes on", async () => {
  const open = Array.from({ length: 60 }, () => createConnection(port, "127.0.0.1"));
  let closed = 0;
  for (const one of open) {
    one.on("error", () => {});
    one.on("close", () => {
      closed += 1;
    });
  }
  while (closed < 28) await sleep(10);
  expect(await client.ping()).toBe("PONG");
  for (const one of open) one.destroy();
  await sleep(100);
  expect((await read()).status).toBe(200);
});

test("readers at the same time share one collection; a failure is an answer", async () => {
  let rendered = 0;
  let isBroken = false;
  const errors: unknown[] = [];
  const server = new MetricsServer({
    render: async () => {
      rendered += 1;
      await sleep(50);
      if (isBroken) throw new Error("broken");
      return "text\n";
    },
    onError: (error) => errors.push(error),
  });
  const own = await freePort();
  const close = await server.listen("127.0.0.1", own);
  const ask = async (): Promise<number | undefined> => {
    const sent = get({ host: "127.0.0.1", port: own, path: "/metrics", agent: new Agent() });
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  expect(await Promise.all([ask(), ask(), ask()])).toStrictEqual([200, 200, 200]);
  expect(rendered).toBe(1);
  isBroken = true;
  expect(await ask()).toBe(500);
  expect(errors).toHaveLength(1);
  close();
});

test("an overlay that comes, moves and goes has its port", async () => {
  let addresses: string[] = [];
  const steps: (() => void)[] = [];
  const clock = {
    ...systemClock,
    after: (_: number, action: () => void) => {
      steps.push(action);
      return () => {};
    },
  };
  const server = new MetricsServer({ render: async () => "", onError: () => {} });
  const own = await freePort();
  const listeners = new MetricsListeners({
    words: [`overlay:${own}`],
    clock,
    log: new QuietLog(),
    listen: (host, at) => server.listen(host, at),
    overlay: () => addresses,
  });
  const step = async (next: string[]): Promise<string[]> => {
    addresses = next;
    steps.shift()?.();
    await sleep(50);
    return listeners.addresses();
  };
  await listeners.start();
  expect(listeners.addresses()).toStrictEqual([]);
  expect(await step(["127.0.0.2", "192.0.2.77"])).toStrictEqual([`127.0.0.2:${own}`]);
  expect(await step(["::1"])).toStrictEqual([`[::1]:${own}`]);
  await expect(once(createConnection(own, "127.0.0.2"), "connect")).rejects.toThrow("ECONNREFUSED");
  listeners.stop();
  server.stop();
});

test("a held-up event loop and collections of garbage are seen", async () => {
  const monitor = new ProcessMonitor(systemClock);
  monitor.start();
  await sleep(100);
  const end = performance.now() + 200;
  while (performance.now() < end) Array.from({ length: 1000 }, () => ({ a: 1 }));
  await sleep(100);
  expect(monitor.loopDelay().max).toBeGreaterThan(0.1);
  expect(monitor.loopDelay().max).toBeLessThan(5);
  expect(monitor.collections().get("minor")?.count).toBeGreaterThan(0);
  monitor.stop();
});
