import { describe, expect, test } from "vitest";
import { openKeyspace } from "./harness.ts";

describe("expiry", () => {
  test("a key is gone at the first look after its time, to the millisecond", () => {
    const { rpush, store, clock } = openKeyspace();
    rpush("k", "a");
    const entry = store.get("k");
    if (entry !== undefined) store.setExpiry(entry, 1500);
    clock.advance(1499);
    expect(store.get("k")).toBe(entry);
    clock.advance(1);
    expect(store.get("k")).toBeUndefined();
  });

  test("a key nobody looks at is removed by one timer", () => {
    const { rpush, expire, store, clock } = openKeyspace();
    for (let index = 0; index < 100; index += 1) {
      rpush(`k${index}`, "a");
      expire(`k${index}`, index < 50 ? 1 : 100);
    }
    expect(clock.pendingTimers).toBe(1);
    clock.advance(3000);
    expect(store.size).toBe(50);
    expect(store.expiredCount).toBe(50);
    expect(clock.pendingTimers).toBe(1);
    clock.advance(100_000);
    expect(store.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("many keys that expire together are all removed, in several slices", () => {
    const { rpush, expire, store, clock } = openKeyspace();
    for (let index = 0; index < 12_000; index += 1) {
      rpush(`k${index}`, "a");
      expire(`k${index}`, 1);
    }
    clock.advance(2500);
    expect(store.size).toBe(0);
    expect(store.expiringCount).toBe(0);
  });

  test("can be moved, shortened and removed", () => {
    const { rpush, expire, store, clock, ttl } = openKeyspace();
    rpush("k", "a");
    expire("k", 10);
    expire("k", 100);
    clock.advance(50_000);
    expect(ttl("k")).toBe(50);
    expire("k", 5);
    const entry = store.get("k");
    if (entry !== undefined) store.setExpiry(entry, null);
    clock.advance(1_000_000);
    expect(ttl("k")).toBe(-1);
    expect(store.expiringCount).toBe(0);
  });

  test("of zero or less removes the key at once", () => {
    const { rpush, expire, store } = openKeyspace();
    rpush("k", "a");
    expire("k", 0);
    expect(store.size).toBe(0);
  });

  test("does not follow a step of the wall clock", () => {
    const { rpush, expire, clock, ttl } = openKeyspace();
    rpush("k", "a");
    expire("k", 300);
    // The fake clock has one time line; the store must not even ask for the wall clock.
    clock.wallMs = () => {
      throw new Error("wall clock used");
    };
    clock.advance(1000);
    expect(ttl("k")).toBe(299);
  });

  test("set over and over leaves one place in the index", () => {
    const { rpush, expire, store } = openKeyspace();
    rpush("k", "a");
    for (let seconds = 1; seconds < 1000; seconds += 1) expire("k", seconds);
    expect(store.expiringCount).toBe(1);
  });
});

describe("memory limit", () => {
  test("is told in the words clients know", () => {
    const { rpush, store } = openKeyspace(1000);
    rpush("k", "x".repeat(500));
    expect(() => store.ensureRoom(500)).toThrow(
      /^OOM command not allowed when used memory > 'maxmemory'/,
    );
    expect(() => store.ensureRoom(10)).not.toThrow();
  });
});
