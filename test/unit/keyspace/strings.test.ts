import { expect, test } from "vitest";
import { openKeyspace } from "./harness.ts";

const setUp = () => {
  const world = openKeyspace();
  return { ...world, strings: world.keyspace.strings };
};

test("set replaces a key of any type and its time to live", () => {
  const { strings, rpush, expire, ttl } = setUp();
  rpush("k", "a");
  expire("k", 60);
  strings.set("k", "text", { ttlMs: null });
  expect(strings.get("k")).toBe("text");
  expect(ttl("k")).toBe(-1);
});

test("set can give a time to live and keep the old one", () => {
  const { strings, ttl } = setUp();
  strings.set("k", "a", { ttlMs: 60_000 });
  strings.set("k", "b", { ttlMs: "keep" });
  expect([strings.get("k"), ttl("k")]).toEqual(["b", 60]);
});

test("set can ask for the key to be absent or present", () => {
  const { strings } = setUp();
  expect(strings.set("k", "a", { ttlMs: null, condition: "present" })).toBe(false);
  expect(strings.set("k", "a", { ttlMs: null, condition: "absent" })).toBe(true);
  expect(strings.set("k", "b", { ttlMs: null, condition: "absent" })).toBe(false);
  expect(strings.set("k", "c", { ttlMs: null, condition: "present" })).toBe(true);
  expect(strings.get("k")).toBe("c");
});

test("update changes the value and nothing else", () => {
  const { strings, ttl } = setUp();
  strings.set("k", "a", { ttlMs: 60_000 });
  strings.update("k", "bb");
  expect([strings.get("k"), ttl("k")]).toEqual(["bb", 60]);
});

test("a list is not a string", () => {
  const { strings, rpush } = setUp();
  rpush("k", "a");
  expect(() => strings.get("k")).toThrow(/^WRONGTYPE /);
});
