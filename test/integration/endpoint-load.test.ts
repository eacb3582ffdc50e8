import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";
import { RawConnection, request } from "./support/raw-connection.ts";

const WANTED = 10_000;
const TLS_CLIENTS = 500;
/** Files the agent and this process need beside connections. */
const OTHER_FILES = 500;
/** Not all at once in the queue of the listener, which holds a few hundred. */
const AT_ONCE = 250;
const KIB_EACH = 64;
const TLS_KIB_EACH = 192;
const HEAP_ALLOWANCE = 10 * 1024 * 1024;
/** What a second crowd may add to what the allocator kept of the first one. */
const SECOND_ALLOWANCE_KIB = 32 * 1024;
const HELLO = request("AUTH", "correct horse") + request("PING");
const WELCOME = "+OK\r\n+PONG\r\n";

const agent = new HostAgent();
let control: RawConnection;
const open: Socket[] = [];

beforeAll(async () => {
  const { NODE_OPTIONS } = process.env;
  process.env["NODE_OPTIONS"] = `--import ${resolve("test/fixtures/collect-on-signal.mjs")}`;
  await agent.start();
  process.env["NODE_OPTIONS"] = NODE_OPTIONS ?? "";
  control = await RawConnection.open(join(agent.directory, "state/redis.sock"));
});

afterAll(async () => {
  for (const socket of open) socket.destroy();
  control.close();
  await agent.stop();
});

test("10 000 clients at once get in and are answered, and leave nothing behind", async () => {
  const count = allowed();
  const pid = await infoNumber("process_id");
  // The first clients make the agent load what all of them need.
  await openAll(200, plain);
  const heapBefore = await heapWithout(pid);
  const before = residentKiB(pid);
  await openAll(count, plain);
  expect(await infoNumber("connected_clients")).toBe(count + 1);
  await Promise.all(open.map((socket) => exchange(socket, request("PING"), "+PONG\r\n")));
  const full = residentKiB(pid);
  const heapAfter = await heapWithout(pid);
  await openAll(count / 2, plain);
  const second = residentKiB(pid);
  closeAll();
  console.log(
    `${count} clients: ${before} KiB before, ${full} KiB with them, ${second} KiB the second time, ` +
      `heap ${heapBefore} before and ${heapAfter} bytes after`,
  );
  expect((full - before) / count).toBeLessThan(KIB_EACH);
  expect(heapAfter - heapBefore).toBeLessThan(HEAP_ALLOWANCE);
  expect(second - full).toBeLessThan(SECOND_ALLOWANCE_KIB);
});

test("clients with TLS cost more, within a bound", async () => {
  const pid = await infoNumber("process_id");
  await openAll(20, secure);
  closeAll();
  await connected(0);
  const before = residentKiB(pid);
  await openAll(TLS_CLIENTS, secure);
  const full = residentKiB(pid);
  closeAll();
  await connected(0);
  console.log(`${TLS_CLIENTS} clients with TLS: ${before} KiB before, ${full} KiB with them`);
  expect((full - before) / TLS_CLIENTS).toBeLessThan(TLS_KIB_EACH);
  expect(await infoNumber("tls_failures")).toBe(0);
});

/** As many as the limits of this machine let two processes have. */
function allowed(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const hard = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1]);
  const count = Math.min(WANTED, hard - OTHER_FILES);
  if (count < WANTED) console.log(`only ${count} clients: the limit of open files is ${hard}`);
  return count;
}

async function openAll(count: number, openOne: () => Promise<Socket>): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      open.push(await openOne());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function plain(): Promise<Socket> {
  const socket = connect(agent.port, "127.0.0.1");
  return exchange(socket, HELLO, WELCOME);
}

function secure(): Promise<Socket> {
  const options = { port: agent.port, host: "127.0.0.1", rejectUnauthorized: false };
  return exchange(connectTls(options), HELLO, WELCOME);
}

function exchange<T extends Socket>(socket: T, bytes: string, wanted: string): Promise<T> {
  return new Promise((resolve, reject) => {
    let received = "";
    const onEnd = (): void => reject(new Error(`closed after ${JSON.stringify(received)}`));
    const onData = (chunk: Buffer): void => {
      received += chunk.toString("latin1");
      if (received.length < wanted.length) return;
      socket.off("data", onData).off("close", onEnd);
      if (received === wanted) resolve(socket);
      else reject(new Error(`${JSON.stringify(received)} seen, expected ${wanted}`));
    };
    socket.on("data", onData).on("close", onEnd);
    socket.on("error", () => {});
    socket.write(bytes);
  });
}

function closeAll(): void {
  for (const socket of open.splice(0)) socket.destroy();
}

async function infoNumber(name: string): Promise<number> {
  const end = request("ECHO", "end-of-reply");
  control.received = "";
  control.send(request("INFO") + end);
  const received = await control.until((bytes) => bytes.endsWith("end-of-reply\r\n"));
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(received)?.[1]);
}

/** Waits until there are so many clients beside this one. */
async function connected(count: number): Promise<void> {
  while ((await infoNumber("connected_clients")) !== count + 1) await pause();
}

/** Closes all clients. @returns Bytes of the heap that are still in use then. */
async function heapWithout(pid: number): Promise<number> {
  closeAll();
  await connected(0);
  // Sockets end in several turns: what the first collection finds may hold others.
  for (let times = 0; times < 3; times += 1) {
    process.kill(pid, "SIGUSR2");
    await pause();
  }
  return await infoNumber("used_memory_heap");
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

function residentKiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
