import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";

/** Where `scripts/setup` puts the Python client library. */
const PYTHON_PACKAGES = resolve(".node0/cache/python");
const run = promisify(execFile);

const agent = new HostAgent();
const path = join(agent.directory, "state/redis.sock");
let client: Redis;
beforeAll(async () => {
  await agent.start();
  client = new Redis({ path });
});
afterAll(async () => {
  client.disconnect();
  await agent.stop();
});

/** Starts a shell script as a job; resolves when the node knows it. */
async function startJob(id: string, script: string): Promise<void> {
  const args = { name: "sh", args: ["-c", script] };
  const command = { id, command: "core.system", arguments: args };
  await client.rpush("core:default", JSON.stringify(command));
}

/** Text of a record, `=STATE` of a result, `missed N` of a gap. */
function shorten(payload: string): string {
  const value = JSON.parse(payload) as {
    message?: { message: string };
    state?: string;
    missed?: number;
  };
  return value.message?.message ?? (value.state ? `=${value.state}` : `missed ${value.missed}`);
}

describe.each([2, 3] as const)("ioredis with RESP%i", (protocol) => {
  test("hears a running job from its last ten messages to its result", async () => {
    const id = `ioredis-${protocol}`;
    const script = "for i in $(seq 15); do echo $i; sleep 0.02; done; sleep 0.5; echo last; exit 2";
    await startJob(id, script);
    await sleep(600);
    const listener = new Redis({ path, protocol });
    const heard: string[] = [];
    const ended = new Promise<void>((end) => {
      listener.on("message", (channel: string, payload: string) => {
        expect(channel).toBe(`job:${id}`);
        heard.push(shorten(payload));
        if (heard.at(-1)?.startsWith("=")) end();
      });
    });
    expect(await listener.subscribe(`job:${id}`)).toBe(1);
    await ended;
    const numbers = Array.from({ length: 10 }, (_, at) => `${at + 6}\n`);
    expect(heard).toStrictEqual([...numbers, "last\n", "", "=ERROR"]);
    expect(await listener.unsubscribe(`job:${id}`)).toBe(0);
    listener.disconnect();
  });

  test("a job that nobody knows is an error at once", async () => {
    const listener = new Redis({ path, protocol });
    await expect(listener.subscribe("job:nobody")).rejects.toThrow(
      "ERR no channel 'job:nobody', expected job:<id> of a job that is queued, running or has a result, log, or boot",
    );
    expect(await listener.subscribe("boot")).toBe(1);
    listener.disconnect();
  });

  test("what else a subscriber may say", async () => {
    const listener = new Redis({ path, protocol });
    await listener.subscribe("log");
    expect(await listener.ping("still here")).toEqual(
      protocol === 2 ? ["pong", "still here"] : "still here",
    );
    listener.disconnect();
  });
});

describe.each([[[]], [["-3"]]])("redis-cli with options %j", (options) => {
  test("shows the messages of a job and its result", async () => {
    const id = `cli${options.join("")}`;
    await startJob(id, "sleep 0.5; echo out; echo err >&2");
    const cli = spawn("redis-cli", ["-s", path, ...options, "SUBSCRIBE", `job:${id}`]);
    let shown = "";
    cli.stdout.on("data", (text) => {
      shown += text;
      if (shown.includes("SUCCESS")) cli.kill();
    });
    await once(cli, "close");
    expect(shown).toMatch(/subscribe.*"message":"out\\n".*"state":"SUCCESS"/s);
    expect(shown).toContain('"message":"err\\n"');
  });
});

describe.skipIf(!existsSync(PYTHON_PACKAGES))(
  "redis-py (needs what scripts/setup installs)",
  () => {
    test.each([2, 3])("with RESP%i listens by name and by pattern", async (protocol) => {
      const fixture = resolve("test/fixtures/redis-subscriber.py");
      const { stdout } = await run("python3", [fixture, path, String(protocol)], {
        env: { ...process.env, PYTHONPATH: PYTHON_PACKAGES },
      });
      expect(JSON.parse(stdout)).toEqual({
        first: "psubscribe",
        texts: ["line 1\n", "line 2\n", "line 3\n", '{"ok":true}\n', ""],
        state: "SUCCESS",
        data: '{"ok":true}\n',
        direct: [3, true],
        numsub: [
          [expect.stringMatching(/^job:/) as string, 1],
          ["log", 1],
        ],
        numpat: 1,
        gone: expect.stringContaining("no channel 'job:none'") as string,
      });
    });
  },
);

/** A client that only counts bytes and ends. */
class Listener {
  readonly socket: Socket;
  text = "";
  constructor(...words: string[]) {
    this.socket = createConnection(path);
    this.socket.on("error", () => {});
    this.socket.write(`${words.join(" ")}\r\n`);
    this.socket.on("data", (chunk) => {
      this.text = (this.text + chunk.toString("latin1")).slice(-5000);
    });
  }

  /** Resolves when the client has got this text. */
  async saw(text: string): Promise<void> {
    while (!this.text.includes(text)) await sleep(10);
  }
}

test("a thousand subscribers get every end", { timeout: 60_000 }, async () => {
  await startJob("many", "sleep 1.5; for i in $(seq 50); do echo line $i; done");
  const listeners = Array.from({ length: 1000 }, () => new Listener("SUBSCRIBE", "job:many"));
  await Promise.all(listeners.map((listener) => listener.saw("subscribe")));
  expect(await client.call("PUBSUB", "NUMSUB", "job:many")).toStrictEqual(["job:many", 1000]);
  await Promise.all(listeners.map((listener) => listener.saw('"state":"SUCCESS"')));
  for (const { text } of listeners) expect(text).toContain("line 50\\n");
  for (const { socket } of listeners) socket.destroy();
  while ((await client.call("PUBSUB", "NUMSUB", "job:many"))?.toString() !== "job:many,0") {
    await sleep(20);
  }
});

test("subscribers that do not read cost a bounded amount, and learn what they missed", {
  timeout: 60_000,
}, async () => {
  const rssKiB = async (): Promise<number> => {
    const pid = /process_id:(\d+)/.exec(await client.info("server"))?.[1];
    const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
    return Number(stdout);
  };
  await startJob("loud", "sleep 0.7; head -c 150000000 /dev/zero | tr '\\0' 'x' | fold -w 1000");
  const listeners = Array.from({ length: 5 }, () => new Listener("SUBSCRIBE", "job:loud"));
  await Promise.all(listeners.map((listener) => listener.saw("subscribe")));
  for (const { socket } of listeners) socket.pause();
  const before = await rssKiB();
  while ((await client.exists("result:loud")) === 0) await sleep(50);
  // All of it would be 750 000.
  expect((await rssKiB()) - before).toBeLessThan(300_000);
  for (const { socket } of listeners) socket.resume();
  await Promise.all(listeners.map((listener) => listener.saw('"state":"SUCCESS"')));
  for (const { text } of listeners) expect(text.length).toBeGreaterThan(0);
  for (const { socket } of listeners) socket.destroy();
  expect(await client.info("stats")).toMatch(/pushes_dropped:[1-9]/);
});
