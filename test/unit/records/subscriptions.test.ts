import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { JobMessage } from "../../../src/job/types.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { Subscriptions } from "../../../src/records/subscriptions.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { record } from "./records.ts";

function setUp({ maxRecords = 1000, maxBytes = 1_000_000 } = {}) {
  const keyspace = new Keyspace({ clock: new FakeClock(), maxBytes });
  const subscriptions = new Subscriptions(keyspace, maxRecords);
  const backlog: JobMessage[] = [];
  /** As the records do it: everything is in the backlog. */
  const publish = (...messages: JobMessage[]): void => {
    for (const message of messages) {
      backlog.push(message);
      subscriptions.publish(message);
    }
  };
  const subscribe = (queue: string, levels: readonly number[] = []) =>
    subscriptions.add(queue, levels, () => backlog);
  const texts = (key: string) =>
    keyspace.lists.range(key, 0, -1).map((text) => JSON.parse(text).message.message);
  return { keyspace, subscriptions, publish, subscribe, texts };
}

const named = (text: string, parts: Partial<JobMessage> = {}) => record({ ...parts, text });

test("a list begins with the backlog and has every record once", async () => {
  const { publish, subscribe, texts } = setUp();
  publish(named("a"), named("b"));
  expect(subscribe("q")).toBe("logger:q");
  publish(named("c"));
  expect(texts("logger:q")).toStrictEqual([]);
  await nextTurn();
  publish(named("d"));
  expect(texts("logger:q")).toStrictEqual(["a", "b", "c", "d"]);
});

test("only its levels come, and the last record of every run", async () => {
  const { publish, subscribe, texts } = setUp();
  subscribe("q", [2, 9]);
  await nextTurn();
  publish(named("out"), named("err", { level: 2 }), named("critical", { level: 9 }));
  publish(named("done", { flags: 3 }), named("failed", { level: 20, flags: 4 }));
  expect(texts("logger:q")).toStrictEqual(["err", "critical", "done", "failed"]);
});

test("a second subscription of a queue changes nothing", async () => {
  const { publish, subscribe, texts } = setUp();
  subscribe("q", [2]);
  await nextTurn();
  expect(subscribe("q", [])).toBe("logger:q");
  await nextTurn();
  publish(named("out"), named("err", { level: 2 }));
  expect(texts("logger:q")).toStrictEqual(["err"]);
});

test("no name is a new name", () => {
  const { subscribe } = setUp();
  const [one, other] = [subscribe(""), subscribe("")];
  expect(one).toMatch(/^logger:[\da-f]{8}-[\da-f-]{27}$/);
  expect(other).not.toBe(one);
});

test("nothing comes after the end of a subscription, and the list stays", async () => {
  const { subscriptions, publish, subscribe, texts } = setUp();
  const key = subscribe("q");
  await nextTurn();
  publish(named("a"));
  subscriptions.remove(key);
  publish(named("b"));
  expect(texts(key)).toStrictEqual(["a"]);
  subscriptions.remove("logger:unknown");
});

test("one that ends before its backlog came gets nothing", async () => {
  const { subscriptions, publish, subscribe, texts } = setUp();
  publish(named("a"));
  subscriptions.remove(subscribe("q"));
  await nextTurn();
  expect(texts("logger:q")).toStrictEqual([]);
});

test("the oldest records leave a list nobody drains, by number", async () => {
  const { publish, subscribe, texts } = setUp({ maxRecords: 3 });
  subscribe("q");
  await nextTurn();
  publish(...["a", "b", "c", "d", "e"].map((text) => named(text)));
  expect(texts("logger:q")).toStrictEqual(["c", "d", "e"]);
});

test("all lists together stay below a quarter of the keyspace", async () => {
  const { keyspace, publish, subscribe } = setUp({ maxBytes: 400_000 });
  for (const queue of ["a", "b", "c", "d"]) subscribe(queue);
  await nextTurn();
  for (let count = 0; count < 200; count += 1) publish(named("x".repeat(1000)));
  expect(keyspace.store.usedBytes).toBeLessThanOrEqual(100_000);
  expect(keyspace.lists.length("logger:a")).toBeGreaterThan(10);
});

test("there is an end to the number of lists", () => {
  const { subscribe } = setUp();
  for (let count = 0; count < 64; count += 1) subscribe(`q${count}`);
  expect(subscribe("q1")).toBe("logger:q1");
  expect(() => subscribe("q64")).toThrow("64 lists are fed, expected less than 64");
});

test("a name has an end, too", () => {
  const { subscribe } = setUp();
  expect(subscribe("x".repeat(256))).toHaveLength(263);
  expect(() => subscribe("x".repeat(257))).toThrow("257 characters seen, expected at most 256");
});

test("what a client put in the place of the list stays, and nobody else suffers", async () => {
  const { keyspace, publish, subscribe, texts } = setUp();
  keyspace.strings.set("logger:q", "mine", { ttlMs: null });
  subscribe("q");
  subscribe("other");
  await nextTurn();
  publish(named("a"));
  expect(keyspace.strings.get("logger:q")).toBe("mine");
  expect(texts("logger:other")).toStrictEqual(["a"]);
});

test("a waiting client takes a record at once", async () => {
  const { keyspace, publish, subscribe, texts } = setUp({ maxRecords: 1 });
  subscribe("q");
  await nextTurn();
  publish(named("a"));
  expect(keyspace.lists.pop("logger:q", "left")).toContain('"a"');
  expect(texts("logger:q")).toStrictEqual([]);
});
