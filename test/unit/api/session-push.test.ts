import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { Connection } from "../../../src/api/connection.ts";
import { Dispatcher } from "../../../src/api/dispatcher.ts";
import { DEFAULT_ENDPOINT_LIMITS } from "../../../src/api/endpoint-limits.ts";
import { integer, push, simple } from "../../../src/resp/encode.ts";
import { openEndpointCore } from "./harness.ts";

const SMALL = { ...DEFAULT_ENDPOINT_LIMITS, pauseOutputBytes: 100, stallTimeoutMs: 5000 };
const MESSAGE = push([simple("message"), simple("x".repeat(30))], 3);

/** The client's side of a connection: takes bytes only when it is told to. */
class Client extends Duplex {
  received = "";
  #take: (() => void) | null = null;
  isReading = true;

  constructor() {
    super({ writableHighWaterMark: 10 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    const take = (): void => {
      this.received += chunk.toString("latin1");
      done();
    };
    if (this.isReading) take();
    else this.#take = take;
  }

  readOn(): void {
    this.isReading = true;
    this.#take?.();
    this.#take = null;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }
}

function openConnection() {
  const core = openEndpointCore();
  const session = core.openSession(true);
  const client = new Client();
  const { clock, counters, logger, table, rules, keyspace } = core;
  const dispatcher = new Dispatcher({ table, store: keyspace.store, rules, counters, logger });
  const socket = client as unknown as Socket;
  const common = { socket, session, dispatcher, clock, counters, logger };
  const connection = new Connection({ ...common, limits: SMALL, onClose: () => {} });
  return { ...core, session, client, connection };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is pushed in one turn leaves in one write", async () => {
  const { session, client } = openConnection();
  let writes = 0;
  const write = client._write.bind(client);
  client._write = (...args) => {
    writes += 1;
    write(...args);
  };
  expect([session.push(MESSAGE), session.push(MESSAGE)]).toStrictEqual([true, true]);
  expect(client.received).toBe("");
  await turn();
  expect([client.received, writes]).toStrictEqual([MESSAGE + MESSAGE, 1]);
});

test("pushes stand between replies, and come while a command waits", async () => {
  const { session, client, send } = openConnection();
  client.push("BLPOP queue 0\r\n");
  await turn();
  session.push(MESSAGE);
  await turn();
  expect(client.received).toBe(MESSAGE);
  send("RPUSH", "queue", "a");
  await turn();
  expect(client.received).toBe(`${MESSAGE}*2\r\n$5\r\nqueue\r\n$1\r\na\r\n`);
});

test("a slow subscriber loses pushes, is told how many, and goes on", async () => {
  const { session, client, counters } = openConnection();
  session.gapNotice = (missed) => push([simple("gap"), integer(missed)], 3);
  client.isReading = false;
  const taken: boolean[] = [];
  for (let turns = 0; turns < 20; turns += 1) {
    taken.push(session.push(MESSAGE));
    await turn();
  }
  const kept = taken.filter(Boolean).length;
  expect(taken.indexOf(false)).toBe(kept);
  expect(client.writableLength).toBeLessThan(SMALL.pauseOutputBytes + MESSAGE.length * 2);
  client.readOn();
  await turn();
  expect(client.received).toBe(`${MESSAGE.repeat(kept)}>2\r\n+gap\r\n:${20 - kept}\r\n`);
  expect([session.droppedPushes, counters.pushesDropped, counters.pushes]).toStrictEqual([
    20 - kept,
    20 - kept,
    kept,
  ]);
  expect(session.push(MESSAGE)).toBe(true);
});

test("a subscriber that takes nothing for the stall time is closed", async () => {
  const { session, client, clock, counters } = openConnection();
  client.isReading = false;
  for (let turns = 0; turns < 20; turns += 1) {
    session.push(MESSAGE);
    await turn();
  }
  clock.advance(SMALL.stallTimeoutMs - 1);
  expect(client.destroyed).toBe(false);
  clock.advance(1);
  expect([client.destroyed, counters.slowReadersClosed]).toStrictEqual([true, 1]);
});

test("those who want to know are told once that the connection is gone", async () => {
  const { session, client } = openConnection();
  const told: string[] = [];
  session.onClose(() => told.push("first"));
  const takeBack = session.onClose(() => told.push("second"));
  takeBack();
  client.destroy();
  await turn();
  session.closed();
  expect(told).toStrictEqual(["first"]);
  expect(session.push(MESSAGE)).toBe(false);
});

test("RESET ends what the connection listened to", () => {
  const { member, send } = openEndpointCore();
  let ended = 0;
  member.onClose(() => {
    ended += 1;
    member.subscriptions = 0;
  });
  member.subscriptions = 1;
  expect(send("RESET")).toBe("+RESET\r\n");
  expect([ended, member.subscriptions]).toStrictEqual([1, 0]);
});

test("a RESP2 connection that listens may say little else", () => {
  const { member, send } = openEndpointCore();
  member.subscriptions = 1;
  expect(send("GET", "a")).toBe(
    "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are " +
      "allowed in this context\r\n",
  );
  expect(send("PING")).toBe("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  expect(send("PING", "a")).toBe("*2\r\n$4\r\npong\r\n$1\r\na\r\n");
  member.protocol = 3;
  expect([send("GET", "a"), send("PING")]).toStrictEqual(["_\r\n", "+PONG\r\n"]);
});
