import { expect, test } from "vitest";
import { Listeners } from "../../../src/api/listeners.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";

/** Listeners on a machine that has only some addresses. */
function machine(...present: string[]) {
  const clock = new FakeClock();
  const has = new Set(present);
  const calls: string[] = [];
  const listeners = new Listeners({
    clock,
    log: new QuietLog(),
    listen: async (host, port) => {
      calls.push(host);
      if (!has.has(host)) throw new Error(`EADDRNOTAVAIL ${host}`);
      return port;
    },
  });
  return { clock, has, calls, listeners };
}

const wanted = (...hosts: string[]) => hosts.map((host) => ({ host, port: 6379 }));

test("every address that is wanted is opened once", async () => {
  const { listeners, calls } = machine("127.0.0.1", "fd00::1");
  expect(await listeners.open(wanted("127.0.0.1"))).toEqual(["127.0.0.1:6379"]);
  expect(await listeners.open(wanted("127.0.0.1", "fd00::1"))).toEqual([
    "127.0.0.1:6379",
    "[fd00::1]:6379",
  ]);
  expect(calls).toEqual(["127.0.0.1", "fd00::1"]);
});

test("an address that cannot be opened is tried again until it can", async () => {
  const { listeners, clock, has } = machine("127.0.0.1");
  await listeners.open(wanted("127.0.0.1", "fd00::1"));
  clock.advance(500);
  await settle();
  expect(listeners.addresses()).toEqual(["127.0.0.1:6379"]);
  has.add("fd00::1");
  clock.advance(1000);
  await settle();
  expect(listeners.addresses()).toEqual(["127.0.0.1:6379", "[fd00::1]:6379"]);
  expect(clock.pendingTimers).toBe(0);
});

test("when nothing can be opened the reason is thrown", async () => {
  const { listeners, clock } = machine();
  await expect(listeners.open(wanted("10.0.0.1"))).rejects.toThrow("EADDRNOTAVAIL 10.0.0.1");
  expect(clock.pendingTimers).toBe(0);
});

test("after a stop nothing is tried again", async () => {
  const { listeners, clock, calls } = machine("127.0.0.1");
  await listeners.open(wanted("127.0.0.1", "fd00::1"));
  listeners.stop();
  clock.advance(60_000);
  await settle();
  expect(calls).toHaveLength(2);
});
