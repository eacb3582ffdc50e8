import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { Aggregator, MAX_POINTS, MAX_STATES } from "../../../src/stats/aggregator.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { record } from "../records/records.ts";

const HOUR_MS = 3_600_000;
/** Start of an hour. */
const START_S = 1_795_168_800;

function setUp() {
  const clock = new FakeClock(START_S * 1000);
  const keyspace = new Keyspace({ clock });
  const aggregator = new Aggregator({ keyspace, clock, log: new QuietLog() });
  const say = (text: string, level = 10): void => aggregator.message(record({ text, level }));
  const points = (period: number) =>
    keyspace.lists.range(`statistics:${period}`, 0, -1).map((text) => JSON.parse(text));
  return { clock, keyspace, aggregator, say, points };
}

test("takes lines of level 10, with and without newline, and no others", async () => {
  const { aggregator, say } = setUp();
  say("a:1|A\n");
  say("b:1|A");
  say("c:1|A", 1);
  say("d:1|A\n\ne:1|A\r\n");
  expect(Object.keys(await aggregator.query("", {}))).toStrictEqual(["a", "b", "d", "e"]);
});

test("the newline is no part of operation and tags", async () => {
  const { aggregator, say } = setUp();
  say("a:1|A|id=x\n");
  expect(await aggregator.query("a", {})).toMatchObject({
    "a/x": { op: "A", tags: [{ key: "id", value: "x" }], current: { 300: { count: 1 } } },
  });
});

test("bad lines are counted and stop nothing", async () => {
  const { aggregator, say } = setUp();
  for (const line of ["nonsense", "a:x|A", "a:1", "a:1|X", ""]) say(line);
  say("bad\na:1|A\n");
  expect(await aggregator.counts()).toStrictEqual({ badLines: 5, refused: 0 });
  expect(Object.keys(await aggregator.query("", {}))).toStrictEqual(["a"]);
});

test("each set of tags is a state of its own, in whatever order they come", async () => {
  const { clock, aggregator, say } = setUp();
  say("a:1|A|x=1,id=p");
  clock.advance(1000);
  say("a:3|A|id=p,x=1");
  say("a:5|A|id=q,x=1");
  expect(await aggregator.query("a", {})).toMatchObject({
    "a/p": { current: { 300: { count: 2, avg: 2 } } },
    "a/q": { current: { 300: { count: 1 } } },
  });
});

test("a query asks for the exact metric and for tags", async () => {
  const { aggregator, say } = setUp();
  say("a:1|A|id=p,x=1");
  say("a.b:1|A|id=p,x=2");
  say("a:1|A|id=q,x=2");
  const names = async (key: string, tags: Record<string, string>) =>
    Object.keys(await aggregator.query(key, tags));
  expect(await names("a", {})).toStrictEqual(["a/p", "a/q"]);
  expect(await names("", { id: "p" })).toStrictEqual(["a/p", "a.b/p"]);
  expect(await names("a", { id: "q", x: "2" })).toStrictEqual(["a/q"]);
  expect(await names("a", { id: "q", x: "1" })).toStrictEqual([]);
  expect(await names("", { none: "" })).toStrictEqual([]);
});

describe("points", () => {
  test("come when a period has ended, with metric and tags", () => {
    const { clock, say, points } = setUp();
    say("a:2|A|id=p,x=1");
    clock.advance(300_000);
    say("a:4|A|id=p,x=1");
    expect(points(300)).toStrictEqual([
      { avg: 2, total: 2, max: 2, count: 1, start: START_S, key: "a", tags: { id: "p", x: "1" } },
    ]);
    expect(points(3600)).toStrictEqual([]);
    clock.advance(HOUR_MS - 300_000);
    say("a:9|A|id=p,x=1");
    expect(points(3600)).toStrictEqual([
      { avg: 3, total: 6, max: 4, count: 2, start: START_S, key: "a", tags: { id: "p", x: "1" } },
    ]);
  });

  test("nothing but a value ends a period", () => {
    const { clock, say, points } = setUp();
    say("a:2|A");
    clock.advance(1_000_000);
    expect(points(300)).toStrictEqual([]);
  });

  test("the oldest leave a list nobody drains", () => {
    const { clock, keyspace, say, points } = setUp();
    keyspace.lists.push("statistics:300", "right", new Array(MAX_POINTS).fill('{"old":1}'));
    say("a:2|A");
    clock.advance(300_000);
    say("a:2|A");
    expect(keyspace.lists.length("statistics:300")).toBe(MAX_POINTS);
    expect(points(300).at(-1)).toMatchObject({ key: "a" });
  });

  test("what a client put in the place of the list stays", () => {
    const { clock, keyspace, say } = setUp();
    keyspace.strings.set("statistics:300", "mine", { ttlMs: null });
    say("a:2|A");
    clock.advance(300_000);
    expect(() => say("a:2|A")).not.toThrow();
    expect(keyspace.strings.get("statistics:300")).toBe("mine");
  });
});

describe("states", () => {
  test("are readable under metric and digest of the tags, a second later", async () => {
    const { clock, keyspace, aggregator, say } = setUp();
    say("a:1|A|x=1,id=p");
    clock.advance(1000);
    const digest = createHash("md5").update("[{id p} {x 1}]").digest("hex");
    const text = keyspace.strings.get(`state:a:${digest}`);
    const { "a/p": state } = await aggregator.query("a", {});
    expect(JSON.parse(text ?? "")).toStrictEqual(JSON.parse(JSON.stringify(state)));
  });

  test("are all written, however many change", () => {
    const { clock, keyspace, say } = setUp();
    for (let count = 0; count < 1700; count += 1) say(`m${count}:1|A`);
    clock.advance(1100);
    const states = [...keyspace.store.entries()].filter(({ key }) => key.startsWith("state:"));
    expect(states).toHaveLength(1700);
    clock.advance(5000);
    say("m1:2|A");
    clock.advance(1000);
    const digest = createHash("md5").update("[{ }]").digest("hex");
    expect(keyspace.strings.get(`state:m1:${digest}`)).toContain('"last_value":2');
  });

  test("leave an hour after their last value, with their keys", async () => {
    const { clock, keyspace, aggregator, say } = setUp();
    say("a:1|A");
    say("b:1|A");
    clock.advance(HOUR_MS / 2);
    say("b:1|A");
    clock.advance(HOUR_MS / 2 + 120_000);
    expect(Object.keys(await aggregator.query("", {}))).toStrictEqual(["b"]);
    expect(
      [...keyspace.store.entries()].filter(({ key }) => key.startsWith("state:a")),
    ).toHaveLength(0);
    clock.advance(HOUR_MS);
    expect(aggregator.size).toBe(0);
  });

  test("are limited in number; those there are go on", async () => {
    const { clock, aggregator, say } = setUp();
    for (let count = 0; count < MAX_STATES + 10; count += 1) say(`m${count}:1|A`);
    expect(aggregator.size).toBe(MAX_STATES);
    expect(await aggregator.counts()).toStrictEqual({ badLines: 0, refused: 10 });
    clock.advance(1000);
    say("m0:1|A");
    expect((await aggregator.query("m0", {}))["m0"]?.current["300"]?.count).toBe(2);
  });

  test("names from jobs are members like any other", async () => {
    const { clock, aggregator, say, points } = setUp();
    say("__proto__:1|A|__proto__=x");
    clock.advance(300_000);
    say("__proto__:1|A|__proto__=x");
    expect(Object.keys(await aggregator.query("", {}))).toStrictEqual(["__proto__"]);
    expect(Object.keys(points(300)[0].tags)).toStrictEqual(["__proto__"]);
  });
});
