import { beforeEach, describe, expect, test } from "vitest";
import { type NoticeHandlers, openNetworkEvents } from "../../../src/sys/network-events.ts";
import type { NetworkEvent, NetworkEvents } from "../../../src/sys/network-state.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";

const everything: NetworkEvent = { kind: "link", interface: "" };
const up = (name: string): NetworkEvent => ({ kind: "link", interface: name });

let clock: FakeClock;
let log: QuietLog;
let sources: { handlers: NoticeHandlers; isClosed: boolean }[];
let failing: Error[];
let events: NetworkEvents;
let heard: (readonly NetworkEvent[])[];
beforeEach(() => {
  clock = new FakeClock();
  log = new QuietLog();
  sources = [];
  failing = [];
  heard = [];
  events = openNetworkEvents({
    clock,
    log,
    open: async (handlers) => {
      const error = failing.shift();
      if (error !== undefined) throw error;
      const source = { handlers, isClosed: false };
      sources.push(source);
      return {
        close: () => {
          source.isClosed = true;
        },
      };
    },
  });
});

async function subscribe(): Promise<() => void> {
  const end = events.subscribe((batch) => heard.push(batch));
  await settle();
  return end;
}

const tell = (...batch: NetworkEvent[]): void => sources.at(-1)?.handlers.events(batch);

/** Subscribes and takes the first call. */
async function listening(): Promise<() => void> {
  const end = await subscribe();
  clock.advance(50);
  heard.splice(0);
  return end;
}

test("listening begins with the first subscriber, who is told to look at everything", async () => {
  expect(sources).toHaveLength(0);
  await subscribe();
  clock.advance(50);
  expect(sources).toHaveLength(1);
  expect(heard).toEqual([[everything]]);
});

test("a later subscriber is told so too, and shares the source", async () => {
  await listening();
  await subscribe();
  clock.advance(50);
  expect(sources).toHaveLength(1);
  expect(heard).toEqual([[everything], [everything]]);
});

test("what comes together is told together after 2 ms, each once, in order", async () => {
  await listening();
  clock.advance(50);
  tell(up("a"), { kind: "address", interface: "a" });
  clock.advance(1);
  tell(up("b"), up("a"));
  expect(heard).toEqual([]);
  clock.advance(1);
  expect(heard).toEqual([[up("a"), { kind: "address", interface: "a" }, up("b")]]);
});

test("events soon after a call wait until 50 ms have passed since it", async () => {
  await listening();
  clock.advance(50);
  tell(up("a"));
  clock.advance(2);
  tell(up("b"));
  clock.advance(49);
  expect(heard).toEqual([[up("a")]]);
  clock.advance(1);
  expect(heard).toEqual([[up("a")], [up("b")]]);
});

test("a thousand events in a second are twenty calls at most", async () => {
  await listening();
  for (let step = 0; step < 1000; step += 1) {
    tell(up("a"));
    clock.advance(1);
  }
  expect(heard.length).toBeLessThanOrEqual(20);
  expect(heard.every((batch) => batch.length === 1)).toBe(true);
});

test("too many different events become one that says to look at everything", async () => {
  await listening();
  for (let index = 0; index < 1000; index += 1) tell(up(`v${index}`));
  clock.advance(50);
  expect(heard).toHaveLength(1);
  expect(heard[0]?.length).toBeLessThanOrEqual(64);
  expect(heard[0]).toContainEqual(everything);
});

test("the source is closed with the last subscriber, and nobody is called any more", async () => {
  const first = await listening();
  const second = await listening();
  first();
  first();
  expect(sources[0]?.isClosed).toBe(false);
  tell(up("a"));
  second();
  expect(sources[0]?.isClosed).toBe(true);
  tell(up("b"));
  clock.advance(1000);
  expect(heard).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test("a subscriber that leaves before the source is open leaves nothing behind", async () => {
  const end = events.subscribe((batch) => heard.push(batch));
  end();
  await settle();
  clock.advance(1000);
  expect(sources[0]?.isClosed).toBe(true);
  expect(heard).toEqual([]);
});

describe("a source that ends", () => {
  test("is opened again after a while, and everything is looked at before and after", async () => {
    await listening();
    sources[0]?.handlers.ended("read ENOBUFS");
    clock.advance(50);
    expect(heard).toEqual([[everything]]);
    expect(log.lines).toEqual([
      [
        "warn",
        "network notices ended",
        expect.objectContaining({ reason: "read ENOBUFS", attempt: 1 }),
      ],
    ]);
    clock.advance(50);
    await settle();
    clock.advance(50);
    expect(sources).toHaveLength(2);
    expect(heard).toEqual([[everything], [everything]]);
    tell(up("a"));
    clock.advance(50);
    expect(heard.at(-1)).toEqual([up("a")]);
  });

  test("again and again is opened more and more seldom, for ever", async () => {
    failing = Array.from({ length: 40 }, () => new Error("EMFILE"));
    await subscribe();
    for (let second = 0; second < 600; second += 1) {
      clock.advance(1000);
      await settle();
    }
    const delays = log.lines.map(([, , fields]) => Number(fields["delayMs"]));
    expect(delays.length).toBe(40);
    expect(delays[0]).toBeLessThanOrEqual(100);
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
    expect(sources).toHaveLength(1);
  });

  test("is not opened for nobody", async () => {
    const end = await listening();
    sources[0]?.handlers.ended("gone");
    end();
    clock.advance(60_000);
    await settle();
    expect(sources).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("and was closed before does not touch the one after it", async () => {
    const end = await listening();
    end();
    await listening();
    sources[0]?.handlers.ended("late");
    sources[0]?.handlers.events([up("old")]);
    clock.advance(50);
    expect(heard).toEqual([]);
    expect(log.lines).toEqual([]);
  });
});

test("a listener that throws does not keep the others from hearing", async () => {
  events.subscribe(() => {
    throw new Error("broken");
  });
  await subscribe();
  clock.advance(50);
  expect(heard).toEqual([[everything]]);
  expect(log.lines).toEqual([["error", "network listener failed", { reason: "broken" }]]);
});
