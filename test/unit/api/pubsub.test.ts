import { expect, test } from "vitest";
import { KeyspaceJobSink } from "../../../src/api/job-sink.ts";
import { PushHub } from "../../../src/api/push-hub.ts";
import { pubsubCommands } from "../../../src/api/redis/pubsub-commands.ts";
import { Session } from "../../../src/api/session.ts";
import { EventBus } from "../../../src/events/bus.ts";
import { commandFrom } from "../../../src/job/decode.ts";
import { JobEngine } from "../../../src/job/engine.ts";
import { NO_JOURNAL } from "../../../src/job/journal.ts";
import { MessageHub } from "../../../src/job/message-hub.ts";
import type { Executable } from "../../../src/job/types.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import type { Reply } from "../../../src/resp/encode.ts";
import type { SequenceEvents } from "../../../src/sequencer/sequence.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { readReplies } from "../../fakes/reply-reader.ts";
import { FakeSpawner } from "../../fakes/spawner.ts";
import { FakeProcessTree } from "../job/harness.ts";

const PROGRAM: Executable = {
  kind: "process",
  build: () => ({ name: "tool", args: [], dir: "", env: {}, stdin: "", showPid: true }),
};

/** A client whose pushes are kept, or refused while it is slow. */
class Client {
  readonly session: Session;
  received = "";
  isSlow = false;
  unsentBytes = 0;
  missed = 0;

  constructor(id: number, protocol: 2 | 3) {
    const peer = { address: "192.0.2.1", remote: "192.0.2.1:4000", local: "", isLocal: false };
    this.session = new Session(id, peer, 0);
    this.session.protocol = protocol;
    this.session.connect(
      (reply) => this.#take(reply),
      () => this.unsentBytes,
    );
  }

  /** As a connection does it once its client has taken everything. */
  async catchUp(): Promise<void> {
    this.isSlow = false;
    const { missed } = this;
    this.missed = 0;
    this.received += this.session.gapNotice?.(missed) ?? "";
    await Promise.resolve();
  }

  /** What came since the last call, channel messages as [channel, JSON]. */
  take(): unknown[] {
    const { received } = this;
    this.received = "";
    return readPushes(received).map(shorten);
  }

  #take(reply: Reply): boolean {
    if (this.isSlow) this.missed += 1;
    else this.received += reply;
    this.unsentBytes += this.isSlow ? 0 : reply.length;
    return !this.isSlow;
  }
}

/** The reader knows RESP2 alone, where a push is an array. */
const readPushes = (bytes: string): unknown[] =>
  readReplies(bytes.replaceAll(/(^|\r\n)>(\d+\r\n\$)/g, "$1*$2"));

/** Messages become `TEXT`, results `=STATE`, and everything else stays. */
function shorten(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  if (reply[0] !== "message" && reply[0] !== "pmessage") return reply;
  const value = JSON.parse(String(reply.at(-1))) as Record<string, unknown>;
  const { message, state, missed } = value as {
    message?: { message: string };
    state?: string;
    missed?: number;
  };
  const short = message?.message ?? (missed === undefined ? `=${state}` : `missed ${missed}`);
  return [...reply.slice(1, -1), short];
}

function openLab(limitBytes?: number) {
  const clock = new FakeClock();
  const keyspace = new Keyspace({ clock });
  const messages = new MessageHub((error) => {
    throw error;
  });
  const boot = new EventBus<SequenceEvents>();
  const spawn = new FakeSpawner();
  const engine = new JobEngine({
    resolve: (name) => (name === "tool" ? PROGRAM : undefined),
    sink: new KeyspaceJobSink(keyspace),
    clock,
    spawn,
    processes: new FakeProcessTree(),
    journal: NO_JOURNAL,
    log: new QuietLog(),
    hub: messages,
  });
  const hub = new PushHub({ clock, messages, jobs: engine, boot }, keyspace, limitBytes);
  const commands = new Map(pubsubCommands(hub).map((command) => [command.name, command]));
  let clients = 0;
  const open = (protocol: 2 | 3 = 3): Client => {
    clients += 1;
    return new Client(clients, protocol);
  };
  const send = (client: Client, ...words: string[]): void => {
    const command = commands.get(words[0] ?? "");
    if (command === undefined) throw new Error(`no command ${words[0]}`);
    client.received += command.run(client.session, words, []) as string;
  };
  const startJob = (id: string) => {
    void engine.run(commandFrom({ id, command: "tool", arguments: {} }));
    const process = spawn.last;
    process.start(100);
    return process;
  };
  return { clock, keyspace, messages, boot, engine, hub, open, send, startJob };
}

test.each([2, 3] as const)(
  "RESP%i: a job from its backlog to its result, in order",
  async (protocol) => {
    const { open, send, startJob } = openLab();
    const client = open(protocol);
    const process = startJob("a");
    for (let line = 1; line <= 12; line += 1) process.write(1, `${line}\n`);
    send(client, "subscribe", "job:a");
    process.write(1, "13\n");
    process.end({ code: 0 });
    const backlog = Array.from({ length: 10 }, (_, at) => ["job:a", `${at + 3}\n`]);
    expect(client.take()).toStrictEqual([
      ["subscribe", "job:a", 1],
      ...backlog,
      ["job:a", "13\n"],
      ["job:a", ""],
      ["job:a", "=SUCCESS"],
    ]);
  },
);

test("a job that has ended answers with its result", async () => {
  const { open, send, startJob } = openLab();
  const client = open();
  startJob("a").end({ code: 1 });
  send(client, "subscribe", "job:a");
  expect(client.take()).toStrictEqual([
    ["subscribe", "job:a", 1],
    ["job:a", "=ERROR"],
  ]);
});

test("a channel there is not is refused at once, and so are those beside it", () => {
  const { open, send, hub } = openLab();
  const client = open();
  for (const channel of ["job:none", "job:", "news"]) {
    expect(() => send(client, "subscribe", "log", channel)).toThrow(
      `ERR no channel '${channel}', expected job:<id> of a job that is queued, running or has a result, log, or boot`,
    );
  }
  expect(client.session.subscriptions).toBe(0);
  expect(hub.channels.subscriptionCount).toBe(0);
});

test("the log has the messages of all jobs, patterns have the channels they fit", async () => {
  const { open, send, startJob } = openLab();
  const [log, all, some] = [open(), open(), open()];
  send(log, "subscribe", "log");
  send(all, "psubscribe", "job:*");
  send(some, "psubscribe", "job:a?", "lo[g]");
  const one = startJob("a1");
  startJob("b1").write(2, "b\n");
  one.write(1, "a\n");
  one.end({ code: 0 });
  expect(log.take().slice(1)).toStrictEqual([
    ["log", "b\n"],
    ["log", "a\n"],
    ["log", ""],
  ]);
  expect(all.take().slice(1)).toStrictEqual([
    ["job:*", "job:b1", "b\n"],
    ["job:*", "job:a1", "a\n"],
    ["job:*", "job:a1", ""],
    ["job:*", "job:a1", "=SUCCESS"],
  ]);
  expect(some.take().slice(2)).toStrictEqual([
    ["lo[g]", "log", "b\n"],
    ["job:a?", "job:a1", "a\n"],
    ["lo[g]", "log", "a\n"],
    ["job:a?", "job:a1", ""],
    ["lo[g]", "log", ""],
    ["job:a?", "job:a1", "=SUCCESS"],
  ]);
});

test("a client that was too slow is told what it missed, and the end always comes", async () => {
  const { open, send, startJob } = openLab();
  const client = open();
  const [one, two] = [startJob("a"), startJob("b")];
  send(client, "subscribe", "job:a", "job:b", "log");
  client.take();
  client.isSlow = true;
  for (let line = 0; line < 5; line += 1) one.write(1, "x\n");
  one.end({ code: 0 });
  two.write(1, "y\n");
  await client.catchUp();
  two.write(1, "z\n");
  expect(client.take()).toStrictEqual([
    ["job:a", "missed 6"],
    ["log", "missed 7"],
    ["job:b", "missed 1"],
    ["job:a", "=SUCCESS"],
    ["job:b", "z\n"],
    ["log", "z\n"],
  ]);
});

test("an end waits until the client takes it, without what the job has written", async () => {
  const { open, send, startJob, keyspace } = openLab();
  const client = open();
  const process = startJob("a");
  send(client, "subscribe", "job:a");
  client.take();
  client.isSlow = true;
  process.end({ code: 3 });
  const entry = keyspace.store.get("result:a");
  if (entry !== undefined) keyspace.store.remove(entry);
  // Room for the notice, and none for what comes behind it.
  const notice = client.session.gapNotice?.(1);
  await Promise.resolve();
  expect(notice).toContain(`{"missed":1}`);
  expect(client.received).toBe("");
  await client.catchUp();
  const [message] = readPushes(client.received) as [unknown[]];
  expect(JSON.parse(String(message[2]))).toMatchObject({ id: "a", state: "ERROR", code: 1003 });
});

test("what all together leave unread is bounded; the end comes when there is room", async () => {
  const { open, send, startJob, clock } = openLab(20_000);
  const [first, second] = [open(), open()];
  const process = startJob("a");
  for (const client of [first, second]) {
    send(client, "subscribe", "job:a");
    client.take();
  }
  process.write(1, `${"x".repeat(20_000)}\n`);
  second.unsentBytes = 1;
  clock.advance(20);
  process.write(1, `${"y".repeat(6000)}\n`);
  process.end({ code: 0 });
  const long = `${"x".repeat(20_000)}\n`;
  expect(first.take()).toStrictEqual([["job:a", long]]);
  expect(second.take()).toStrictEqual([]);
  clock.advance(100);
  expect(second.take()).toStrictEqual([]);
  for (let reads = 0; reads < 5; reads += 1) {
    for (const client of [first, second]) client.unsentBytes = 0;
    clock.advance(50);
  }
  expect(first.take()).toStrictEqual([
    ["job:a", "missed 2"],
    ["job:a", "=SUCCESS"],
  ]);
  expect(second.take()).toStrictEqual([
    ["job:a", "missed 3"],
    ["job:a", "=SUCCESS"],
  ]);
});

test("the boot is replayed and then goes on", async () => {
  const { open, send, boot } = openLab();
  const client = open();
  boot.publish("sequence.start", { sequence: "boot", phases: ["network"] });
  send(client, "subscribe", "boot");
  const status = {
    phase: "network",
    state: "running",
    startMs: 5,
    endMs: null,
    attempts: 1,
  } as const;
  boot.publish("phase.change", {
    sequence: "boot",
    index: 1,
    total: 1,
    status: { ...status, reason: "<why>" },
  });
  const replies = readPushes(client.received) as string[][];
  expect(replies.slice(1).map((reply) => JSON.parse(reply[2] ?? "") as unknown)).toStrictEqual([
    { number: 1, type: "sequence.start", sequence: "boot", phases: ["network"] },
    {
      number: 2,
      type: "phase.change",
      sequence: "boot",
      index: 1,
      total: 1,
      ...status,
      reason: "<why>",
    },
  ]);
  expect(client.received).not.toContain("<why>");
});

test("subscriptions end one by one, all at once, and with the connection", async () => {
  const { open, send, hub } = openLab();
  const client = open(2);
  send(client, "unsubscribe");
  send(client, "subscribe", "log", "boot", "log");
  send(client, "psubscribe", "job:*");
  send(client, "unsubscribe", "log", "other");
  send(client, "punsubscribe");
  send(client, "unsubscribe");
  expect(client.take()).toStrictEqual([
    ["unsubscribe", null, 0],
    ["subscribe", "log", 1],
    ["subscribe", "boot", 2],
    ["subscribe", "log", 2],
    ["psubscribe", "job:*", 3],
    ["unsubscribe", "log", 2],
    ["unsubscribe", "other", 2],
    ["punsubscribe", "job:*", 1],
    ["unsubscribe", "boot", 0],
  ]);
  send(client, "subscribe", "log");
  expect([hub.subscriberCount, hub.channels.count("log")]).toStrictEqual([1, 1]);
  client.session.closed();
  expect([hub.subscriberCount, hub.channels.count("log")]).toStrictEqual([0, 0]);
});

test("one connection has a bounded number of subscriptions with bounded names", () => {
  const { open, send } = openLab();
  const client = open();
  const many = Array.from({ length: 1024 }, (_, at) => `p${at}`);
  send(client, "psubscribe", ...many);
  expect(() => send(client, "psubscribe", "one more")).toThrow("expected at most 1024");
  expect(() => send(client, "subscribe", "log")).toThrow("expected at most 1024");
  send(client, "psubscribe", "p1");
  expect(() => send(open(), "psubscribe", "x".repeat(513))).toThrow("expected at most 512");
  expect(() => send(open(), "psubscribe", "*".repeat(129))).toThrow("expected at most 128");
});

test("all connections together have a bounded number of patterns to match", () => {
  const { open, send, hub } = openLab();
  const client = open();
  send(client, "psubscribe", ...Array.from({ length: 256 }, (_, at) => `job:${at}*`));
  expect(() => send(open(), "psubscribe", "log*")).toThrow("of all clients together");
  // One that is known costs nothing, nor does a name.
  send(open(), "psubscribe", "job:1*", "log");
  client.session.closed();
  send(open(), "psubscribe", "log*");
  expect(hub.channels.subscriptionCount).toBe(3);
});

test("a pattern that is a name hears a job that begins later", () => {
  const { open, send, startJob } = openLab();
  const client = open();
  send(client, "psubscribe", "job:a", "job:\\a", "job:[x]");
  client.take();
  startJob("a").end({ code: 0 });
  startJob("[x]").end({ code: 0 });
  expect(client.take()).toStrictEqual([
    ["job:a", "job:a", ""],
    ["job:\\a", "job:a", ""],
    ["job:a", "job:a", "=SUCCESS"],
    ["job:\\a", "job:a", "=SUCCESS"],
  ]);
});

test("a job with an id too long to be named has no channel, but is in the log", () => {
  const { open, send, startJob } = openLab();
  const client = open();
  send(client, "psubscribe", "job:*", "log");
  client.take();
  startJob("x".repeat(509)).end({ code: 0 });
  expect(client.take()).toStrictEqual([["log", "log", ""]]);
});

test("PUBSUB tells who listens", async () => {
  const { open, send, startJob } = openLab();
  const client = open(2);
  startJob("a");
  send(client, "subscribe", "log", "job:a");
  send(open(), "subscribe", "log");
  send(open(), "psubscribe", "job:*");
  client.received = "";
  send(client, "pubsub", "channels");
  send(client, "pubsub", "CHANNELS", "job:*");
  send(client, "pubsub", "numsub", "log", "boot");
  send(client, "pubsub", "numpat");
  expect(client.take()).toStrictEqual([["log", "job:a"], ["job:a"], ["log", 2, "boot", 0], 1]);
  expect(() => send(client, "pubsub", "shardchannels")).toThrow("Try PUBSUB HELP");
});
