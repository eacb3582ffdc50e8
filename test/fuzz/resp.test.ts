import { readFileSync } from "node:fs";
import { connect, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readByteReplies } from "../fakes/reply-reader.ts";
import { HostAgent } from "../integration/cli-agent.ts";
import { RawConnection, request } from "../integration/support/raw-connection.ts";
import { isLong } from "../support/long.ts";
import { CORPUS, PASSWORD_CORPUS } from "./corpus.ts";
import { mutate, pick, type Random, seeded } from "./mutate.ts";

/** Each on a connection of its own; frames.test.ts has more of them, without sockets. */
const FRAMES = isLong ? 200_000 : 60_000;
/** Memory settles during these. */
const WARM_UP_FRAMES = isLong ? 60_000 : 30_000;
const SAMPLE_FRAMES = 5000;
const TIME_LIMIT_MS = 240_000;
const CONNECTIONS = 64;
/** What the heap of V8 and the allocator may move by; a leak of 0.5 KB a frame shows. */
const ALLOWANCE_KIB = 64 * 1024;
const AUTH = request("AUTH", "correct horse");

const agent = new HostAgent();
let socketPath: string;
let control: RawConnection;

beforeAll(async () => {
  // Some of the requests are wrong passwords, all of them from one address.
  await agent.start("[endpoint]\nlockout_failures = 0\n");
  socketPath = join(agent.directory, "state/redis.sock");
  control = await RawConnection.open(socketPath);
});

afterAll(async () => {
  control.close();
  await agent.stop();
});

test(
  "the agent answers, and has not grown, after many broken requests",
  async () => {
    const random = seeded(Number(process.env["NODE0_FUZZ_SEED"] ?? 20_260));
    const startMs = performance.now();
    const pid = await agentPid();
    const warm: number[] = [];
    const late: number[] = [];
    let sent = 0;
    while (sent < FRAMES) {
      await sendFrames(random, SAMPLE_FRAMES);
      sent += SAMPLE_FRAMES;
      await removeKeys();
      const sizeKiB = residentKiB(pid);
      if (sent > WARM_UP_FRAMES / 2 && sent <= WARM_UP_FRAMES) warm.push(sizeKiB);
      if (sent > FRAMES - WARM_UP_FRAMES / 2) late.push(sizeKiB);
      expect(performance.now() - startMs).toBeLessThan(TIME_LIMIT_MS);
    }
    const growthKiB = Math.max(...late) - Math.max(...warm);
    console.log(
      `${sent} frames in ${Math.round((performance.now() - startMs) / 1000)} s, ` +
        `resident ${Math.max(...warm)} KiB after warm-up, ${Math.max(...late)} KiB at the end`,
    );
    expect(growthKiB).toBeLessThan(ALLOWANCE_KIB);
    expect(await agentPid()).toBe(pid);
    const client = await RawConnection.open(agent.port);
    await client.exchange(AUTH + request("PING"), "+OK\r\n+PONG\r\n");
    client.close();
    expect(await infoNumber("blocked_clients")).toBe(0);
    // Otherwise the mutations would be too mild or too wild to test anything.
    expect(await infoNumber("total_commands_processed")).toBeGreaterThan(FRAMES / 4);
    expect(await infoNumber("protocol_errors")).toBeGreaterThan(FRAMES / 10);
  },
  TIME_LIMIT_MS + 30_000,
);

async function sendFrames(random: Random, count: number): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await sendOne(random);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

/** One connection with one broken request, closed from this side. */
async function sendOne(random: Random): Promise<void> {
  const choice = random(200);
  if (choice === 0) {
    await exchange({ port: agent.port }, mutate(random, pick(random, PASSWORD_CORPUS), CORPUS));
    return;
  }
  const bytes = mutate(random, pick(random, CORPUS), CORPUS);
  if (choice < 20) await exchange({ port: agent.port }, bytes);
  else if (choice < 40) await exchange({ port: agent.port }, AUTH + bytes);
  else await exchange({ path: socketPath }, bytes);
}

function exchange(target: NetConnectOpts, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(target);
    // The agent may refuse the request before all of it was sent.
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.resume();
    socket.end(bytes, "latin1");
  });
}

/** Keys that broken requests left behind would look like a leak. */
async function removeKeys(): Promise<void> {
  const client = await RawConnection.open(socketPath);
  client.send(request("KEYS", "*") + request("ECHO", END));
  const received = await client.until((bytes) => bytes.endsWith(`${END}\r\n`));
  client.close();
  const [keys = []] = readByteReplies(received) as [string[]];
  if (keys.length === 0) return;
  control.send(request("DEL", ...keys));
  control.received = "";
  await control.until((bytes) => /^:\d+\r\n$/.test(bytes));
  control.received = "";
}

const END = "end-of-reply";

async function info(): Promise<string> {
  const client = await RawConnection.open(socketPath);
  client.send(request("INFO") + request("ECHO", END));
  const received = await client.until((bytes) => bytes.endsWith(`${END}\r\n`));
  client.close();
  return received;
}

async function infoNumber(name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await info())?.[1]);
}

const agentPid = (): Promise<number> => infoNumber("process_id");

function residentKiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
