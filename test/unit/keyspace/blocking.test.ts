import { describe, expect, test } from "vitest";
import type { AgentError } from "../../../src/base/errors.ts";
import type { WaitOptions, WaitOutcome } from "../../../src/keyspace/blocking.ts";
import { openKeyspace } from "./harness.ts";

function setUp() {
  const world = openKeyspace();
  const log: string[] = [];
  const shown = (outcome: WaitOutcome): string => {
    if (outcome === undefined) return "timeout";
    return outcome instanceof Error
      ? (outcome as AgentError).message
      : `${outcome.key}=${outcome.value}`;
  };
  const wait = (name: string, options: Partial<WaitOptions> & { keys: string[] }) =>
    world.keyspace.blocking.wait({
      from: "left",
      timeoutMs: 0,
      ...options,
      done: (outcome) => log.push(`${name}:${shown(outcome)}`),
    });
  const rotate = (name: string, key: string) =>
    wait(name, { keys: [key], from: "right", destination: { key, to: "left" } });
  return { ...world, log, wait, rotate, blocking: world.keyspace.blocking };
}

describe("pops", () => {
  test("hand each element to one waiter, in order of both", () => {
    const { wait, rpush, log, store } = setUp();
    wait("first", { keys: ["k"] });
    wait("second", { keys: ["k"] });
    wait("third", { keys: ["k"] });
    expect(rpush("k", "a", "b")).toBe(2);
    expect(log).toEqual(["first:k=a", "second:k=b"]);
    expect(store.get("k")).toBeUndefined();
    rpush("k", "c");
    expect(log.at(-1)).toBe("third:k=c");
  });

  test("leave to the list what nobody waits for", () => {
    const { wait, rpush, all } = setUp();
    wait("only", { keys: ["k"] });
    rpush("k", "a", "b", "c");
    expect(all("k")).toEqual(["b", "c"]);
  });

  test("wait for several keys and are served once", () => {
    const { wait, rpush, log, all, blocking } = setUp();
    wait("w", { keys: ["a", "b", "a"] });
    rpush("b", "1");
    rpush("a", "2");
    expect(log).toEqual(["w:b=1"]);
    expect(all("a")).toEqual(["2"]);
    expect(blocking.waiterCount).toBe(0);
  });

  test("take from the right end when asked to", () => {
    const { wait, rpush, log } = setUp();
    wait("w", { keys: ["k"], from: "right" });
    rpush("k", "a", "b");
    expect(log).toEqual(["w:k=b"]);
  });
});

describe("rotations of one key", () => {
  test("are all released by one element, which stays", () => {
    const { rotate, rpush, log, all } = setUp();
    for (const name of ["a", "b", "c"]) rotate(name, "k");
    rpush("k", "x");
    expect(log).toEqual(["a:k=x", "b:k=x", "c:k=x"]);
    expect(all("k")).toEqual(["x"]);
  });

  test("are served before an EXPIRE that follows the push, which still finds the key", () => {
    const { rotate, rpush, expire, log, ttl } = setUp();
    rotate("w", "k");
    rpush("k", "x");
    expect(log).toEqual(["w:k=x"]);
    expire("k", 300);
    expect(ttl("k")).toBe(300);
  });

  test("stop where a pop before them takes the last element", () => {
    const { rotate, wait, rpush, log, blocking } = setUp();
    rotate("a", "k");
    wait("b", { keys: ["k"] });
    rotate("c", "k");
    rpush("k", "x");
    expect(log).toEqual(["a:k=x", "b:k=x"]);
    expect(blocking.waiterCount).toBe(1);
  });
});

describe("moves to another key", () => {
  test("serve who waits for that key", () => {
    const { wait, rpush, log, all } = setUp();
    wait("mover", { keys: ["a"], destination: { key: "b", to: "left" } });
    wait("taker", { keys: ["b"] });
    rpush("a", "1", "2");
    expect(log).toEqual(["mover:a=1", "taker:b=1"]);
    expect(all("a")).toEqual(["2"]);
  });

  test("in a ring come to an end", () => {
    const { wait, rpush, log, all } = setUp();
    wait("ab", { keys: ["a"], destination: { key: "b", to: "left" } });
    wait("ba", { keys: ["b"], destination: { key: "a", to: "left" } });
    rpush("a", "1");
    expect(log).toEqual(["ab:a=1", "ba:b=1"]);
    expect(all("a")).toEqual(["1"]);
  });

  test("fail when the target has become a string; the element stays", () => {
    const { wait, rpush, log, all, keyspace } = setUp();
    wait("w", { keys: ["a"], destination: { key: "s", to: "left" } });
    keyspace.strings.set("s", "text", { ttlMs: null });
    rpush("a", "1");
    expect(log).toEqual(["w:WRONGTYPE Operation against a key holding the wrong kind of value"]);
    expect(all("a")).toEqual(["1"]);
  });
});

describe("waiting", () => {
  test("ends with nothing after its time, fractions of a second included", () => {
    const { wait, clock, log, rpush, all } = setUp();
    wait("w", { keys: ["k"], timeoutMs: 2500 });
    clock.advance(2499);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(log).toEqual(["w:timeout"]);
    rpush("k", "a");
    expect(all("k")).toEqual(["a"]);
  });

  test("for ever sets no timer", () => {
    const { wait, clock } = setUp();
    wait("w", { keys: ["k"] });
    expect(clock.pendingTimers).toBe(0);
  });

  test("leaves no timer behind when it is served or cancelled", () => {
    const { wait, clock, rpush, log, all } = setUp();
    wait("served", { keys: ["k"], timeoutMs: 1000 });
    rpush("k", "a");
    const cancel = wait("cancelled", { keys: ["k"], timeoutMs: 1000 });
    cancel();
    cancel();
    expect(clock.pendingTimers).toBe(0);
    rpush("k", "b");
    expect(log).toEqual(["served:k=a"]);
    expect(all("k")).toEqual(["b"]);
  });

  test("ignores a key that became a string", () => {
    const { wait, keyspace, log, rpush, store } = setUp();
    wait("w", { keys: ["k"] });
    keyspace.strings.set("k", "text", { ttlMs: null });
    const entry = store.get("k");
    if (entry !== undefined) store.remove(entry);
    rpush("k", "a");
    expect(log).toEqual(["w:k=a"]);
  });

  test("for many keys in turn leaves nothing that grows", () => {
    const { wait, blocking, rpush, log } = setUp();
    for (let index = 0; index < 10_000; index += 1) wait("gone", { keys: [`k${index}`] })();
    wait("w", { keys: ["k5"] });
    expect(blocking.slotCount).toBeLessThan(1000);
    rpush("k5", "a");
    expect(log).toEqual(["w:k5=a"]);
  });
});

describe("a consumer", () => {
  test("takes elements in order, before waiting clients, while it has room", () => {
    const { blocking, wait, rpush, all, log } = setUp();
    const taken: string[] = [];
    let room = 2;
    wait("client", { keys: ["q"] });
    blocking.consume("q", {
      hasRoom: () => room > 0,
      take: (value) => {
        taken.push(value);
        room -= 1;
      },
    });
    expect(rpush("q", "a")).toBe(1);
    expect(rpush("q", "b", "c")).toBe(2);
    expect(taken).toEqual(["a", "b"]);
    expect(log).toEqual(["client:q=c"]);
    rpush("q", "d");
    expect(all("q")).toEqual(["d"]);
    room = 1;
    blocking.grew("q");
    expect(taken).toEqual(["a", "b", "d"]);
  });

  test("gets what was in the list before it came", () => {
    const { blocking, rpush } = setUp();
    rpush("q", "a", "b");
    const taken: string[] = [];
    blocking.consume("q", { hasRoom: () => true, take: (value) => taken.push(value) });
    expect(taken).toEqual(["a", "b"]);
  });

  test("may push to other lists and wake clients while it takes", () => {
    const { blocking, rotate, rpush, expire, log, ttl } = setUp();
    rotate("client", "result");
    blocking.consume("q", {
      hasRoom: () => true,
      take: (value) => {
        rpush("result", `done ${value}`);
        expire("result", 300);
      },
    });
    rpush("q", "job");
    expect(log).toEqual(["client:result=done job"]);
    expect(ttl("result")).toBe(300);
  });
});
