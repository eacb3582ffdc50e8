import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Endpoint } from "../../src/api/endpoint.ts";
import type { EndpointLimits } from "../../src/api/endpoint-limits.ts";
import { CommandRegistry } from "../../src/api/registry.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { FakeEngine } from "../fakes/fake-engine.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { EndpointLab, PASSWORD } from "./support/endpoint.ts";
import { RawConnection, request } from "./support/raw-connection.ts";

const PING = request("PING");
const PONG = "+PONG\r\n";
const AUTH = request("AUTH", PASSWORD);
const OK = "+OK\r\n";

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function openLab(limits: Partial<EndpointLimits> = {}): Promise<EndpointLab> {
  const lab = await EndpointLab.open(limits);
  cleanUps.push(() => lab.stop());
  return lab;
}

async function openGuest(lab: EndpointLab): Promise<RawConnection> {
  const connection = await RawConnection.open(lab.port);
  cleanUps.push(() => connection.close());
  return connection;
}

async function openMember(lab: EndpointLab): Promise<RawConnection> {
  const connection = await openGuest(lab);
  await connection.exchange(AUTH, OK);
  return connection;
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

describe("listeners", () => {
  test("a network address without a password is refused", async () => {
    const endpoint = new Endpoint({
      keyspace: new Keyspace({ clock: systemClock }),
      intake: new FakeEngine({} as ConstructorParameters<typeof FakeEngine>[0]),
      registry: new CommandRegistry([]),
      clock: systemClock,
      logger: new QuietLog(),
      password: null,
      version: "0.1.0",
    });
    await expect(endpoint.listenTcp("127.0.0.1", 0)).rejects.toThrow(
      expect.objectContaining({
        code: "E_PASSWORD_REQUIRED",
        message: "Cannot listen on 127.0.0.1:0: Password required on any network address",
      }),
    );
    await endpoint.stop();
  });

  test("a port in use is told", async () => {
    const lab = await openLab();
    await expect(lab.endpoint.listenTcp("127.0.0.1", lab.port)).rejects.toThrow(
      expect.objectContaining({ code: "E_LISTEN" }),
    );
  });

  test("the unix socket is for its owner only and asks for no password", async () => {
    const lab = await openLab();
    expect(statSync(lab.path).mode & 0o777).toBe(0o600);
    const local = await RawConnection.open(lab.path);
    cleanUps.push(() => local.close());
    await local.exchange(PING, PONG);
    await local.exchange(request("AUTH", "anything"), OK);
  });

  test("a socket file left by a dead agent is replaced", async () => {
    const lab = await openLab();
    const path = `${lab.path}.old`;
    const server = createServer().listen(path);
    await once(server, "listening");
    // Listening on the same path again takes the file over; the old listener is out of reach.
    await lab.endpoint.listenUnix(path);
    cleanUps.push(() => {
      server.close();
    });
    const local = await RawConnection.open(path);
    cleanUps.push(() => local.close());
    await local.exchange(PING, PONG);
  });

  test("stop closes connections, sends what is ready, and frees the port", async () => {
    const lab = await EndpointLab.open();
    const blocked = await RawConnection.open(lab.port);
    await blocked.exchange(AUTH, OK);
    blocked.send(PING + request("BLPOP", "k", "0"));
    await blocked.until((received) => received.endsWith(PONG));
    await lab.stop();
    expect(await blocked.closed()).toBe(OK + PONG);
    expect(existsSync(lab.path)).toBe(false);
    await expect(RawConnection.open(lab.port)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("before authentication", () => {
  test("commands are refused and the connection stays open", async () => {
    const guest = await openGuest(await openLab());
    await guest.exchange(PING, "-NOAUTH Authentication required.\r\n");
    await guest.exchange(
      request("AUTH", "wrong"),
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    );
    await guest.exchange(AUTH + PING, OK + PONG);
  });

  test("requests behind a failed AUTH wait for its delayed answer", async () => {
    const guest = await openGuest(await openLab());
    guest.send(request("AUTH", "wrong") + PING + AUTH + PING);
    const all = await guest.until((received) => received.endsWith(PONG));
    expect(all).toMatch(/^-WRONGPASS [^\r]*\r\n-NOAUTH [^\r]*\r\n\+OK\r\n\+PONG\r\n$/);
  });

  test.each([
    ["eleven words", "*11\r\n", "invalid multibulk length"],
    ["a bulk above 16 KiB", "*2\r\n$4\r\nAUTH\r\n$16385\r\n", "invalid bulk length"],
    ["a line above 16 KiB", "x".repeat(17_000), "too big inline request"],
    ["bytes that are no request", "*1\r\n+OK\r\n", "expected '$', got '+'"],
  ])("%s end the connection with an error", async (_, bytes, what) => {
    const guest = await openGuest(await openLab());
    guest.send(bytes);
    expect(await guest.closed()).toBe(`-ERR Protocol error: ${what}\r\n`);
  });

  test("what comes behind a failed AUTH is not taken in until it is answered", async () => {
    const lab = await openLab();
    const guest = await openGuest(lab);
    const count = 200_000;
    guest.send(request("AUTH", "wrong") + PING.repeat(count));
    let taken = 0;
    await until(() => {
      if (guest.received === "") taken = lab.endpoint.counters.inputBytes;
      return guest.received !== "";
    });
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(1024 * 1024);
    const replies = [
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
      "-NOAUTH Authentication required.\r\n".repeat(count),
    ].join("");
    await guest.until((received) => received.length === replies.length);
    expect(guest.received === replies).toBe(true);
    expect(lab.endpoint.counters.protocolErrors).toBe(0);
  });

  test.each(["POST / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: node\r\n\r\n"])(
    "the web request %j ends the connection and runs nothing",
    async (bytes) => {
      const lab = await openLab();
      const guest = await openGuest(lab);
      guest.send(`${bytes}${AUTH}${request("SET", "k", "v")}`);
      expect(await guest.closed()).not.toContain(OK);
      expect(lab.keyspace.store.size).toBe(0);
    },
  );

  test("unfinished requests of all connections together are limited", async () => {
    const lab = await openLab({ maxGuestBytes: 50_000 });
    const half = `*2\r\n$4\r\nAUTH\r\n$15000\r\n${"x".repeat(10_000)}`;
    const guests = await Promise.all(Array.from({ length: 6 }, () => openGuest(lab)));
    for (const guest of guests) guest.send(half);
    await until(() => guests.filter((guest) => guest.isClosed).length > 0);
    // Those who stay within the limit are let in, and their bytes are given back.
    const member = await openMember(lab);
    await member.exchange(PING, PONG);
    for (const guest of guests) guest.close();
    await until(() => lab.endpoint.connectionCount === 1);
    expect(lab.endpoint.counters.guestBytes).toBe(0);
  });

  test("a silent connection is closed after its time", async () => {
    const lab = await openLab({ guestTimeoutMs: 50 });
    const member = await openMember(lab);
    const guest = await openGuest(lab);
    expect(await guest.closed()).toBe("");
    await member.exchange(PING, PONG);
  });
});

describe("requests", () => {
  test("may come byte by byte", async () => {
    const member = await openMember(await openLab());
    for (const byte of PING + request("ECHO", "a\r\nb")) member.send(byte);
    await member.until((received) => received === `${OK}${PONG}$4\r\na\r\nb\r\n`);
  });

  test("of one packet are answered in one packet, in order", async () => {
    const lab = await openLab();
    const member = await openMember(lab);
    const packets: number[] = [];
    member.socket.on("data", (chunk: Buffer) => packets.push(chunk.length));
    member.send(PING.repeat(500));
    await member.until((received) => received === OK + PONG.repeat(500));
    expect(packets).toEqual([500 * PONG.length]);
  });

  test("may be as large as the limit, and larger ones are refused", async () => {
    const member = await openMember(await openLab());
    const value = "x".repeat(8 * 1024 * 1024);
    await member.exchange(request("ECHO", value), `$${value.length}\r\n${value}\r\n`);
    member.send(`*2\r\n$4\r\nECHO\r\n$${64 * 1024 * 1024 + 1}\r\n`);
    expect(await member.closed()).toMatch(/-ERR Protocol error: invalid bulk length\r\n$/);
  });

  test("behind a blocking one wait for it and keep their order", async () => {
    const lab = await openLab();
    const blocked = await openMember(lab);
    const other = await openMember(lab);
    blocked.send(request("BLPOP", "k", "0") + request("ECHO", "1") + request("BLPOP", "k", "0"));
    blocked.send(request("ECHO", "2"));
    await until(() => lab.keyspace.blocking.waiterCount === 1);
    await other.exchange(request("RPUSH", "k", "a", "b", "c"), ":3\r\n");
    await blocked.until((received) => received.endsWith("2\r\n"));
    expect(blocked.received).toBe(
      `${OK}*2\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nk\r\n$1\r\nb\r\n$1\r\n2\r\n`,
    );
    await other.exchange(request("LLEN", "k"), ":1\r\n");
  });

  test("QUIT is answered and ends the connection", async () => {
    const member = await openMember(await openLab());
    member.send(PING + request("QUIT") + PING);
    expect(await member.closed()).toBe(OK + PONG + OK);
  });
});

describe("a blocked client", () => {
  test("that goes away takes no element", async () => {
    const lab = await openLab();
    const blocked = await openMember(lab);
    const other = await openMember(lab);
    blocked.send(request("BLPOP", "k", "0"));
    await until(() => lab.keyspace.blocking.waiterCount === 1);
    blocked.close();
    await until(() => lab.keyspace.blocking.waiterCount === 0);
    await other.exchange(request("RPUSH", "k", "a"), ":1\r\n");
    await other.exchange(request("LLEN", "k"), ":1\r\n");
  });

  test("may send much more meanwhile; it is read no further than allowed, and nothing is lost", async () => {
    const lab = await openLab({ maxWaitingBytes: 100_000 });
    const blocked = await openMember(lab);
    const other = await openMember(lab);
    const before = lab.endpoint.counters.inputBytes;
    blocked.send(request("BLPOP", "k", "0") + PING.repeat(2_000_000));
    await until(() => lab.endpoint.counters.inputBytes - before > 100_000);
    await other.exchange(PING, PONG);
    // One more chunk may have been on its way when reading stopped.
    expect(lab.endpoint.counters.inputBytes - before).toBeLessThan(400_000);
    await other.exchange(request("RPUSH", "k", "a"), ":1\r\n");
    const element = "*2\r\n$1\r\nk\r\n$1\r\na\r\n";
    const size = OK.length + element.length + PONG.length * 2_000_000;
    await blocked.until((received) => received.length === size);
  });
});

describe("a client that does not read", () => {
  test("is not served further until it reads again", async () => {
    const lab = await openLab({ pauseOutputBytes: 200_000 });
    const slow = await openMember(lab);
    const value = "x".repeat(100_000);
    slow.send(request("SET", "k", value));
    await slow.until((received) => received === OK + OK);
    slow.socket.pause();
    const before = lab.endpoint.counters.outputBytes;
    slow.send(request("GET", "k").repeat(1000));
    await until(() => lab.endpoint.counters.outputBytes - before > 1_000_000);
    const other = await openMember(lab);
    await other.exchange(PING, PONG);
    // What the kernel's buffers hold comes on top of the limit; 100 MB would be everything.
    expect(lab.endpoint.counters.outputBytes - before).toBeLessThan(30_000_000);
    slow.socket.resume();
    const size = 2 * OK.length + 1000 * (value.length + "$100000\r\n\r\n".length);
    await slow.until((received) => received.length === size);
  });

  test("is closed when one reply is beyond the limit", async () => {
    const lab = await openLab({ maxOutputBytes: 3_000_000, pauseOutputBytes: 100_000 });
    const slow = await openMember(lab);
    for (let part = 0; part < 20; part += 1) {
      slow.send(request("RPUSH", "k", "x".repeat(1_000_000)));
    }
    await slow.until((received) => received.endsWith(":20\r\n"));
    slow.socket.pause();
    slow.send(request("LRANGE", "k", "0", "-1"));
    await until(() => lab.endpoint.counters.slowReadersClosed === 1);
    await until(() => lab.endpoint.connectionCount === 0);
  });

  test("is closed when it takes nothing for a while", async () => {
    const lab = await openLab({ pauseOutputBytes: 1000, stallTimeoutMs: 50 });
    const slow = await openMember(lab);
    slow.send(request("SET", "k", "x".repeat(1_000_000)));
    await slow.until((received) => received === OK + OK);
    slow.socket.pause();
    slow.send(request("GET", "k").repeat(100));
    await until(() => lab.endpoint.counters.slowReadersClosed === 1);
  });
});

describe("the number of clients", () => {
  test("is not used up by those that never log in", async () => {
    const lab = await openLab({ maxClients: 3 });
    const member = await openMember(lab);
    const [first, second] = [await openGuest(lab), await openGuest(lab)];
    const early = await openGuest(lab);
    expect(await early.closed()).toBe("-ERR max number of clients reached\r\n");
    await new Promise((resolve) => setTimeout(resolve, 3100));
    const late = await openMember(lab);
    await first.closed();
    expect([member, second, late].map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
    expect(lab.endpoint.counters).toMatchObject({ guestTimeouts: 1, rejectedConnections: 1 });
  });

  test("is limited on the network; the unix socket still opens", async () => {
    const lab = await openLab({ maxClients: 2 });
    await openMember(lab);
    const second = await openMember(lab);
    const third = await openGuest(lab);
    expect(await third.closed()).toBe("-ERR max number of clients reached\r\n");
    const local = await RawConnection.open(lab.path);
    cleanUps.push(() => local.close());
    await local.exchange(PING, PONG);
    local.close();
    second.close();
    await until(() => lab.endpoint.connectionCount === 1);
    await openMember(lab);
  });

  test("a thousand that connect and vanish leave nothing", async () => {
    const lab = await openLab();
    for (let round = 0; round < 10; round += 1) {
      const guests = await Promise.all(
        Array.from({ length: 100 }, () => RawConnection.open(lab.port)),
      );
      for (const guest of guests) {
        guest.send(AUTH + request("BLPOP", "k", "0"));
        guest.socket.resetAndDestroy();
      }
    }
    await until(() => lab.endpoint.connectionCount === 0);
    expect(lab.keyspace.blocking.waiterCount).toBe(0);
    const member = await openMember(lab);
    await member.exchange(PING, PONG);
  });
});

describe("idle members", () => {
  test("are closed after the limit, but not those that wait, listen, or ask", async () => {
    const lab = await openLab({ idleTimeoutMs: 400 });
    const [idle, asking, waiting, listening] = await Promise.all(
      Array.from({ length: 4 }, () => openMember(lab)),
    );
    waiting?.send(request("BLPOP", "none", "0"));
    listening?.send(request("SUBSCRIBE", "boot"));
    const timer = setInterval(() => asking?.send(PING), 50);
    cleanUps.push(() => clearInterval(timer));
    await idle?.closed();
    // A trickle of bytes that never becomes a request is no asking.
    const slow = await openMember(lab);
    slow.send("*2\r\n$4\r\n");
    const drip = setInterval(() => slow.send("x"), 150);
    cleanUps.push(() => clearInterval(drip));
    await slow.closed();
    expect([asking, waiting, listening].map((client) => client?.isClosed)).toEqual([
      false,
      false,
      false,
    ]);
    expect(lab.endpoint.counters.idleClosed).toBe(2);
  });
});
