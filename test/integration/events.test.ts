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

/** More than what stands behind the state in a result. */
const KEPT = 5000;

/** A client that keeps the last of what it got. */
class Listener {
  readonly socket: Socket;
  text = "";
  constructor(...words: string[]) {
    this.socket = createConnection(path);
    this.socket.on("error", () => {});
    this.socket.write(`${words.join(" ")}\r\n`);
    this.socket.on("data", (chunk) => {
      this.text = (this.text + chunk.toString("latin1")).slice(-KEPT);
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

const rssKiB = async (): Promise<number> => {
  const pid = /process_id:(\d+)/.exec(await client.info("server"))?.[1];
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout);
};

test.each([
  ["loud", 5, "head -c 150000000 /dev/zero | tr '\\0' x | fold -w 1000", 750_000],
  ["long", 60, "printf 3::; head -c 12000000 /dev/zero | tr '\\0' x; echo", 720_000],
])(
  "subscribers of a %s job that do not read cost a bounded amount, and get its end",
  {
    timeout: 60_000,
  },
  async (id, count, script, unboundedKiB) => {
    await startJob(id, `sleep 0.7; ${script}`);
    const listeners = Array.from({ length: count }, () => new Listener("SUBSCRIBE", `job:${id}`));
    await Promise.all(listeners.map((listener) => listener.saw("subscribe")));
    for (const { socket } of listeners) socket.pause();
    const before = await rssKiB();
    while ((await client.exists(`result:${id}`)) === 0) await sleep(50);
    expect((await rssKiB()) - before).toBeLessThan(unboundedKiB / 2);
    for (const { socket } of listeners) socket.resume();
    await Promise.all(listeners.map((listener) => listener.saw('"state":"SUCCESS"')));
    for (const { socket } of listeners) socket.destroy();
  },
);
