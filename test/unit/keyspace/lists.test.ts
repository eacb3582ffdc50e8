import { describe, expect, test } from "vitest";
import { openKeyspace } from "./harness.ts";

const WRONG_TYPE = /^WRONGTYPE /;

test("pushes to and pops from both ends", () => {
  const { lists, all, rpush } = openKeyspace();
  expect(rpush("k", "b", "c")).toBe(2);
  expect(lists.push("k", "left", ["a", "z"])).toBe(4);
  expect(all("k")).toEqual(["z", "a", "b", "c"]);
  expect(lists.pop("k", "left")).toBe("z");
  expect(lists.pop("k", "right")).toBe("c");
  expect(lists.popMany("k", "right", 9)).toEqual(["b", "a"]);
});

test("a list without elements does not exist", () => {
  const { lists, store, rpush } = openKeyspace();
  rpush("k", "a");
  lists.pop("k", "left");
  expect(store.get("k")).toBeUndefined();
  expect(store.size).toBe(0);
  expect(lists.pop("k", "left")).toBeUndefined();
  expect(lists.popMany("k", "left", 1)).toBeUndefined();
  expect(lists.length("k")).toBe(0);
});

test("a list that becomes empty and is filled again has no time to live", () => {
  const { lists, rpush, expire, ttl } = openKeyspace();
  rpush("k", "a");
  expire("k", 60);
  lists.pop("k", "left");
  rpush("k", "b");
  expect(ttl("k")).toBe(-1);
});

describe("rotation", () => {
  test("moves the tail to the head and keeps the time to live, for one element too", () => {
    const { lists, all, rpush, expire, ttl, clock } = openKeyspace();
    for (const elements of [["a"], ["a", "b", "c"]]) {
      const key = `k${elements.length}`;
      rpush(key, ...elements);
      expire(key, 300);
    }
    clock.advance(10_000);
    const rotate = (key: string) =>
      lists.move({ source: key, from: "right", destination: key, to: "left" });
    expect(rotate("k1")).toBe("a");
    expect(rotate("k3")).toBe("c");
    expect(all("k3")).toEqual(["c", "a", "b"]);
    expect([ttl("k1"), ttl("k3")]).toEqual([290, 290]);
  });
});

test("a move to another list leaves the time to live of the target alone", () => {
  const { lists, all, rpush, expire, ttl } = openKeyspace();
  rpush("a", "1");
  rpush("b", "2");
  expire("b", 100);
  expect(lists.move({ source: "a", from: "left", destination: "b", to: "right" })).toBe("1");
  expect(all("b")).toEqual(["2", "1"]);
  expect(ttl("b")).toBe(100);
  expect(ttl("a")).toBe(-2);
});

test.each([
  [0, -1, ["a", "b", "c", "d"]],
  [1, 2, ["b", "c"]],
  [-2, -1, ["c", "d"]],
  [-100, 0, ["a"]],
  [2, 100, ["c", "d"]],
  [3, 1, []],
  [4, 9, []],
  [0, -5, []],
])("range and trim from %i to %i", (start, stop, kept) => {
  const { lists, store, all, rpush } = openKeyspace();
  rpush("k", "a", "b", "c", "d");
  expect(lists.range("k", start, stop)).toEqual(kept);
  lists.trim("k", start, stop);
  expect(all("k")).toEqual(kept);
  expect(store.get("k") === undefined).toBe(kept.length === 0);
});

test("index counts from either end", () => {
  const { lists, rpush } = openKeyspace();
  rpush("k", "a", "b");
  expect([0, 1, 2, -1, -2, -3].map((index) => lists.index("k", index))).toEqual([
    "a",
    "b",
    undefined,
    "b",
    "a",
    undefined,
  ]);
});

test.each([
  [0, 3, ["b", "c"]],
  [2, 2, ["b", "c", "a"]],
  [-2, 2, ["a", "b", "c"]],
  [-9, 3, ["b", "c"]],
])("remove with count %i takes %i", (count, removed, left) => {
  const { lists, all, rpush } = openKeyspace();
  rpush("k", "a", "b", "a", "c", "a");
  expect(lists.remove("k", count, "a")).toBe(removed);
  expect(all("k")).toEqual(left);
});

test("every operation on a string is refused and changes nothing", () => {
  const { keyspace, lists, rpush } = openKeyspace();
  keyspace.strings.set("s", "text", { ttlMs: null });
  rpush("k", "a");
  const intoString = { source: "k", from: "left", destination: "s", to: "left" } as const;
  const fromString = { source: "s", from: "left", destination: "k", to: "left" } as const;
  expect(() => rpush("s", "x")).toThrow(WRONG_TYPE);
  expect(() => lists.pop("s", "left")).toThrow(WRONG_TYPE);
  expect(() => lists.range("s", 0, -1)).toThrow(WRONG_TYPE);
  expect(() => lists.move(intoString)).toThrow(WRONG_TYPE);
  expect(() => lists.move(fromString)).toThrow(WRONG_TYPE);
  expect(lists.range("k", 0, -1)).toEqual(["a"]);
  expect(keyspace.strings.get("s")).toBe("text");
});

test("all memory is given back whatever way elements leave", () => {
  const { keyspace, lists, store, rpush, expire, clock } = openKeyspace();
  rpush("popped", "a", "bb");
  lists.popMany("popped", "left", 2);
  rpush("trimmed", "a", "bb", "ccc");
  lists.trim("trimmed", 1, 1);
  lists.trim("trimmed", 5, 6);
  rpush("removed", "a", "bb", "a");
  lists.remove("removed", 0, "a");
  lists.remove("removed", 0, "bb");
  rpush("moved", "a");
  lists.move({ source: "moved", from: "left", destination: "target", to: "left" });
  lists.pop("target", "left");
  keyspace.strings.set("s", "text", { ttlMs: null });
  keyspace.strings.update("s", "longer text");
  expire("s", 1);
  clock.advance(3000);
  expect(store.size).toBe(0);
  expect(store.usedBytes).toBe(0);
});
