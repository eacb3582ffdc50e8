import { expect, test } from "vitest";
import { openKeyspace } from "./harness.ts";

function setUp(count: number) {
  const world = openKeyspace();
  for (let index = 0; index < count; index += 1) world.rpush(`k${index}`, "a");
  const { scanner } = world.keyspace;
  return { ...world, scanner };
}

test("a full scan gives every key once", () => {
  const { scanner } = setUp(95);
  const seen: string[] = [];
  let cursor = 0;
  do {
    const page = scanner.scan(cursor, { count: 10 });
    seen.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== 0);
  expect(seen).toHaveLength(95);
  expect(new Set(seen).size).toBe(95);
});

test("keys that stay are seen although others come and go between the pages", () => {
  const { scanner, store, rpush } = setUp(60);
  const seen = new Set<string>();
  let cursor = 0;
  let round = 0;
  do {
    const page = scanner.scan(cursor, { count: 7 });
    for (const key of page.keys) seen.add(key);
    cursor = page.cursor;
    round += 1;
    const leaving = store.get(`k${round * 3}`);
    if (leaving !== undefined) store.remove(leaving);
    rpush(`new${round}`, "a");
    if (round % 2 === 0) rpush(`k${round * 3}`, "again");
  } while (cursor !== 0 && round < 100);
  for (let index = 0; index < 60; index += 1) {
    if (index % 3 !== 0) expect(seen).toContain(`k${index}`);
  }
});

test("an old cursor goes on in the right place", () => {
  const { scanner } = setUp(200);
  const first = scanner.scan(0, { count: 10 });
  // Others push the cursor out of the few that are kept open.
  for (let other = 0; other < 20; other += 1) scanner.scan(0, { count: 20 + other });
  const second = scanner.scan(first.cursor, { count: 10 });
  expect(second.keys).toEqual(Array.from({ length: 10 }, (_, index) => `k${index + 10}`));
});

test("pattern and type choose among the keys looked at", () => {
  const { scanner, keyspace } = setUp(12);
  keyspace.strings.set("s1", "x", { ttlMs: null });
  expect(scanner.scan(0, { count: 100, type: "string" }).keys).toEqual(["s1"]);
  expect(scanner.scan(0, { count: 100, pattern: "k1*" }).keys).toEqual(["k1", "k10", "k11"]);
  expect(scanner.scan(0, { count: 5, type: "string" })).toMatchObject({ keys: [] });
});

test("an unknown cursor beyond the end is the end", () => {
  expect(setUp(3).scanner.scan(999, { count: 10 })).toEqual({ cursor: 0, keys: [] });
});
