import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { RemoteLog } from "../../src/records/remote-log.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { record } from "../unit/records/records.ts";
import { readSyslog } from "../unit/records/syslog-reader.ts";

const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** A peer that takes what comes, unless it is told otherwise. */
class Peer {
  readonly sockets: Socket[] = [];
  received = Buffer.alloc(0);
  port = 0;
  #server: Server | undefined;

  async open(onSocket: (socket: Socket) => void = (socket) => this.read(socket)): Promise<this> {
    const server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on("error", () => {});
      onSocket(socket);
    });
    this.#server = server;
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.port = (server.address() as { port: number }).port;
    cleanUp.push(() => this.close());
    return this;
  }

  read(socket: Socket): void {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      this.received = Buffer.concat(chunks);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.splice(0)) socket.destroy();
    if (this.#server?.listening !== true) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  get lines(): { message: string; [member: string]: unknown }[] {
    const text = this.received.toString("utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  get messages(): string[] {
    return this.lines.map(({ message }) => message);
  }
}

function openLog(port: number, options: { format?: "json" | "syslog"; buffer?: number } = {}) {
  const log = new QuietLog();
  const { format = "json", buffer = 1_048_576 } = options;
  const address = `127.0.0.1:${port}`;
  const remote = new RemoteLog({ address, format, buffer, clock: systemClock, log });
  cleanUp.push(() => remote.stop());
  return { remote, log };
}

const until = (condition: () => boolean, timeout = 10_000) => vi.waitUntil(condition, { timeout });

test("JSON lines arrive in order, with the name of the node", async () => {
  const peer = await new Peer().open();
  const { remote } = openLog(peer.port);
  for (let number = 0; number < 2000; number += 1) remote.push(record({ text: `${number}\n` }));
  await until(() => peer.messages.length === 2000);
  expect(peer.messages).toStrictEqual(Array.from({ length: 2000 }, (_, at) => `${at}\n`));
  expect(peer.lines[0]).toMatchObject({ node: hostname(), job: "job", level: 1, core: 0 });
});

test("syslog messages are framed so that a strict reader takes every one", async () => {
  const peer = await new Peer().open();
  const { remote } = openLog(peer.port, { format: "syslog" });
  const texts = ["a\n", "", "two\nlines\n", "ü€😀", '<14>1 - - "]', "\0\r", "x".repeat(7000)];
  for (const text of texts) remote.push(record({ text }));
  remote.push(record({ text: "end", flags: 4 }));
  await until(() => peer.received.includes('end="error"'));
  expect(readSyslog(peer.received).map(({ text }) => text)).toStrictEqual([
    ...texts.map((text) => text.replace(/\n$/, "")),
    "end",
  ]);
});

test("rsyslogd takes every message for what it is", async () => {
  const directory = mkdtempSync(join(tmpdir(), "node0-rsyslog-"));
  cleanUp.push(() => rmSync(directory, { recursive: true }));
  const port = await freePort();
  const out = join(directory, "out");
  const fields = ["syslogseverity-text", "hostname", "app-name", "structured-data", "msg"];
  const template = fields.map((name) => `%${name}:::json%`).join('","');
  writeFileSync(
    join(directory, "conf"),
    [
      'global(maxMessageSize="64k" workDirectory="/")',
      'module(load="imtcp")',
      `template(name="all" type="string" string="[\\"${template.replaceAll('"', '\\"')}\\"]\\n")`,
      `input(type="imtcp" port="${port}" address="127.0.0.1")`,
      `action(type="omfile" file="${out}" template="all")`,
      "",
    ].join("\n"),
  );
  const rsyslogd = startRsyslogd(directory);
  const { remote } = openLog(port, { format: "syslog" });
  const long = "ü".repeat(10_000);
  for (const text of ["plain\n", "two\nlines", 'quote " bracket ]', long])
    remote.push(record({ text }));
  remote.push(record({ jobId: 'a"]\\b', text: "oh no", level: 9, flags: 4 }));
  await until(() => existsSync(out) && readFileSync(out, "utf8").includes("oh no"));
  expect(rsyslogd.exitCode).toBeNull();
  const rows = readFileSync(out, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as string[]);
  const texts = rows.map((row) => (row[4] ?? "").trimStart());
  expect(rows[0]?.slice(0, 4)).toStrictEqual([
    "info",
    hostname(),
    "node0",
    '[node0@32473 job="job" level="1" core="0"]',
  ]);
  // rsyslog shows control characters as octal numbers.
  expect(texts.slice(0, 3)).toStrictEqual(["plain", "two#012lines", 'quote " bracket ]']);
  expect(texts.slice(3, -1).join("")).toBe(long);
  expect(rows.at(-1)?.[0]).toBe("crit");
  expect(rows.at(-1)?.[3]).toBe('[node0@32473 job="a\\"\\]\\\\b" level="9" core="0" end="error"]');
});

function startRsyslogd(directory: string): ChildProcess {
  const args = ["-n", "-f", join(directory, "conf"), "-i", join(directory, "pid")];
  const child = spawn("/usr/sbin/rsyslogd", args, { stdio: "ignore" });
  cleanUp.push(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

async function freePort(): Promise<number> {
  const peer = await new Peer().open();
  await peer.close();
  return peer.port;
}

test("what comes while nobody is there waits, the oldest leaves first and is counted", async () => {
  const peer = new Peer();
  peer.port = await freePort();
  const { remote, log } = openLog(peer.port, { buffer: 65_536 });
  for (let number = 0; number < 1000; number += 1) {
    remote.push(record({ text: String(number).padStart(400, "0") }));
  }
  await until(() => log.lines.some(([level]) => level === "warn"));
  await peer.open();
  await until(() => Number(peer.messages.at(-1)) === 999);
  const [first = "", ...rest] = peer.messages;
  const lost = Number(/^(\d+) records lost$/.exec(first)?.[1]);
  expect(rest.map(Number)).toStrictEqual(Array.from({ length: 1000 - lost }, (_, at) => lost + at));
  expect(rest.length).toBeGreaterThan(80);
});

test("a connection that ends is made again, and nothing that waited is missing", async () => {
  const peer = await new Peer().open();
  const { remote } = openLog(peer.port);
  remote.push(record({ text: "first" }));
  await until(() => peer.messages.length === 1);
  await peer.close();
  for (const text of ["second", "third"]) remote.push(record({ text }));
  const again = new Peer();
  again.port = peer.port;
  await again.open();
  await until(() => {
    remote.push(record({ text: "more" }));
    return again.messages.includes("more");
  });
  // What was sent right before the end was seen may be lost with the connection, or come twice.
  expect(again.messages.includes("third")).toBe(true);
});

test("a peer that never reads costs the buffer and no more, and nobody waits for it", async () => {
  const peer = await new Peer().open((socket) => socket.pause());
  const { remote } = openLog(peer.port, { buffer: 1_048_576 });
  const pushFor = async (records: number): Promise<void> => {
    for (let number = 0; number < records; number += 1) {
      // As output does: a text of its own each time.
      remote.push(record({ text: `${number}`.padEnd(32_768, "x") }));
      if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await pushFor(500);
  const before = process.memoryUsage().rss;
  await pushFor(10_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_048_576);
  remote.push(record({ text: "newest" }));
  const [socket] = peer.sockets;
  if (socket === undefined) throw new Error("nobody has connected");
  peer.read(socket);
  socket.resume();
  await until(() => peer.messages.includes("newest"), 20_000);
  expect(peer.messages.some((message) => /^\d+ records lost$/.test(message))).toBe(true);
});

test("a peer that closes at once is not asked all the time", async () => {
  let connections = 0;
  const peer = await new Peer().open((socket) => {
    connections += 1;
    socket.resetAndDestroy();
  });
  const { remote } = openLog(peer.port);
  const end = performance.now() + 2000;
  while (performance.now() < end) {
    remote.push(record());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(connections).toBeGreaterThanOrEqual(2);
  expect(connections).toBeLessThan(8);
});
