import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EndpointLab } from "./support/endpoint.ts";
import { RawConnection, request } from "./support/raw-connection.ts";

/** Every reply is compared byte for byte with that of a real redis-server. */

let lab: EndpointLab;
let redis: ChildProcess;
let directory: string;

beforeAll(async () => {
  lab = await EndpointLab.open();
  directory = mkdtempSync(join(tmpdir(), "node0-redis-"));
  const socket = join(directory, "redis.sock");
  redis = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", ""], {
    stdio: "ignore",
  });
  for (;;) {
    try {
      (await RawConnection.open(socket)).close();
      return;
    } catch {
      // Not listening yet.
      await sleep(20);
    }
  }
});

afterAll(async () => {
  redis.kill();
  await lab.stop();
  rmSync(directory, { recursive: true });
});

const END = "end-of-script";

/** Sends all requests in one piece. @returns The bytes of all replies but the one to HELLO. */
async function replies(path: string, protocol: string, lines: readonly string[]): Promise<string> {
  const connection = await RawConnection.open(path);
  const mark = `$${END.length}\r\n${END}\r\n`;
  connection.send(request("HELLO", protocol) + request("ECHO", END));
  const greeting = await connection.until((bytes) => bytes.endsWith(mark));
  const requests = lines.map((line) => request(...words(line)));
  connection.send(CLEAN + requests.join("") + request("ECHO", END));
  const received = await connection.until(
    (bytes) => bytes.length > greeting.length && bytes.endsWith(mark),
  );
  connection.close();
  return received.slice(greeting.length);
}

const CLEAN = request("DEL", "a", "b", "c", "s", "n");

async function compare(protocol: string, lines: readonly string[]): Promise<void> {
  const ours = await replies(lab.path, protocol, lines);
  const theirs = await replies(join(directory, "redis.sock"), protocol, lines);
  expect({ lines, replies: ours }).toEqual({ lines, replies: theirs });
}

const words = (line: string): string[] =>
  line
    .trim()
    .split(" ")
    .map((word) => (word === "''" ? "" : word));

describe.each(["2", "3"])("with RESP%s replies are those of Redis", (protocol) => {
  test.each([
    [
      "lists",
      "RPUSH a 1 2 3;LPUSH a 0;LLEN a;LRANGE a 0 -1;LRANGE a -2 -1;LRANGE a 3 1;LINDEX a 1;LINDEX a 9;LPOP a;RPOP a;LPOP a 5;LPOP a;LPOP a 1;RPOP a 0;EXISTS a",
    ],
    [
      "subscriptions",
      "UNSUBSCRIBE;PUNSUBSCRIBE;SUBSCRIBE log boot log;PING;PING hello;PSUBSCRIBE job:* x job:*;UNSUBSCRIBE none log;PUNSUBSCRIBE x;PUNSUBSCRIBE;UNSUBSCRIBE;PING",
    ],
    [
      "what else a subscriber says",
      "SUBSCRIBE log;GET a;SUBSCRIBE;PSUBSCRIBE;RPUSH a 1;NOSUCH a;UNSUBSCRIBE;GET s;RPUSH a 1",
    ],
    [
      "who subscribed",
      "PUBSUB NUMSUB log x;PUBSUB NUMSUB;PUBSUB NUMPAT;PUBSUB CHANNELS;PUBSUB CHANNELS l*;PUBSUB",
    ],
    [
      "counted pops",
      "RPUSH a 1 2 3;LPOP a 0;LPOP a 2;LPOP a -1;LPOP a x;LPOP a 1 2;RPOP a 9;RPOP a 9",
    ],
    [
      "moves",
      "RPUSH a 1 2 3;RPOPLPUSH a a;RPOPLPUSH a b;LMOVE a b LEFT RIGHT;LMOVE a b left left;LMOVE a b LEFT LEFT;LMOVE a b X LEFT;LRANGE b 0 -1",
    ],
    [
      "trim and remove",
      "RPUSH a x y x z x;LREM a -1 x;LREM a 0 y;LRANGE a 0 -1;LREM a 9 q;LTRIM a 1 -1;LRANGE a 0 -1;LTRIM a 5 9;EXISTS a;LTRIM a 0 x",
    ],
    [
      "blocking",
      "RPUSH a 1 2 3;BLPOP b a 0;BRPOP a 0;BRPOPLPUSH a a 0.1;BLMOVE a b RIGHT LEFT 1;BLPOP none 0.01;BRPOPLPUSH none none 0.01;BLMOVE none b LEFT LEFT 0.01;BLPOP a -1;BLPOP a x;BLPOP a;BRPOPLPUSH a b",
    ],
    ["empty elements", "RPUSH a '';LRANGE a 0 -1;BRPOPLPUSH a a 1;LPOP a;EXISTS a"],
    [
      "expiry",
      "TTL a;PTTL a;EXPIRE a 10;RPUSH a 1;TTL a;EXPIRE a 300;TTL a;EXPIRE a 10 GT;EXPIRE a 400 GT;EXPIRE a 500 LT;EXPIRE a 1 NX;EXPIRE a 100 XX;TTL a;PERSIST a;PERSIST a;TTL a;EXPIRE a 5 GT;EXPIRE a 5 NX GT;EXPIRE a 5 GT LT;EXPIRE a 5 QQ;EXPIRE a x;EXPIRE a 9223372036854775807;EXPIRE a -1;EXISTS a",
    ],
    [
      "rotation keeps the time to live",
      "RPUSH a 1;EXPIRE a 300;BRPOPLPUSH a a 1;TTL a;RPUSH a 2;RPOPLPUSH a a;TTL a",
    ],
    [
      "strings",
      "SET s v;GET s;GET none;SET s w NX;SET s w XX;SET s x GET;SET s y EX 100;TTL s;SET s z KEEPTTL;TTL s;SET s q;TTL s;SET none 1 XX;SET s v EX 0;SET s v EX x;SET s v NX XX;SET s v EX;SET s v KEEPTTL EX 1;SET s v PX 5000;TTL s",
    ],
    [
      "counting",
      "INCR n;INCRBY n 41;DECR n;DECRBY n 2;SET n 9223372036854775807;INCR n;SET n x;INCR n;INCRBY n y;SET n 01;INCR n",
    ],
    [
      "wrong types",
      "SET s v;RPUSH a 1;RPUSH s 1;LPOP s;LLEN s;LRANGE s 0 -1;BLPOP s 1;BRPOPLPUSH a s 1;RPOPLPUSH s a;GET a;INCR a;TYPE s;TYPE a;TYPE none;LREM s 0 x;LINDEX s 0;LTRIM s 0 1",
    ],
    [
      "numbers",
      "RPUSH a 1;LRANGE a 0 9223372036854775807;LRANGE a 0 9223372036854775808;LRANGE a -9223372036854775808 1;LRANGE a 1.0 1;LRANGE a 01 1;LRANGE a -0 1;LINDEX a +1;LRANGE a '' 1",
    ],
    [
      "arity and unknown names",
      "LLEN;LLEN a b;RPUSH a;GET;PING a b;ECHO;SELECT 0;SELECT x;SELECT 99;no.such a b;NOSUCH",
    ],
    [
      "connection",
      "PING;PING x;ECHO hello;CLIENT GETNAME;CLIENT SETNAME x;CLIENT GETNAME;CLIENT SETNAME ''",
    ],
    [
      "keys",
      "RPUSH a 1;SET s 1;EXISTS a s a none;DEL a none s;EXISTS a s;SCAN x;SCAN 0 COUNT 0;SCAN 0 COUNT;UNLINK a;COMMAND INFO none-such",
    ],
    ["HELLO", "HELLO 1;HELLO 4;HELLO x;HELLO 2 AUTH x;HELLO 2 QQ"],
  ])("for %s", async (_, script) => {
    const lines = script.split(";");
    await compare(protocol, lines);
  });
});

test("protocol errors are those of Redis", async () => {
  for (const bytes of [
    "*1\r\n:1\r\n",
    "*1\r\n$-2\r\n",
    "*x\r\n",
    '"abc\r\n',
    "*1\r\n$99999999999\r\n",
  ]) {
    const seen: string[] = [];
    for (const path of [lab.path, join(directory, "redis.sock")]) {
      const connection = await RawConnection.open(path);
      connection.send(bytes);
      seen.push(await connection.closed());
    }
    expect(seen[0]).toBe(seen[1]);
  }
});
