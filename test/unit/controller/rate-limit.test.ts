import { expect, test } from "vitest";
import { RateLimit } from "../../../src/controller/rate-limit.ts";
import { FakeClock } from "../../fakes/clock.ts";

function limitOf(perMinute: number) {
  const clock = new FakeClock();
  return { clock, limit: new RateLimit(perMinute, () => clock.monotonicMs()) };
}

const drain = (limit: RateLimit, source: string, tries: number): number =>
  Array.from({ length: tries }, () => limit.take(source)).filter(({ isAllowed }) => isAllowed)
    .length;

test("a source has its share at once and no more", () => {
  const { limit } = limitOf(10);
  expect(drain(limit, "a", 100)).toBe(10);
  expect(drain(limit, "b", 100)).toBe(10);
});

test("a share comes back evenly, and never more than one whole", () => {
  const { clock, limit } = limitOf(10);
  drain(limit, "a", 10);
  clock.advance(6000);
  expect(drain(limit, "a", 5)).toBe(1);
  clock.advance(3_600_000);
  expect(drain(limit, "a", 100)).toBe(10);
});

test("a refusal says after how many seconds another try is welcome", () => {
  const { clock, limit } = limitOf(10);
  drain(limit, "a", 10);
  const { retryAfterS } = limit.take("a");
  expect(retryAfterS).toBe(6);
  clock.advance(retryAfterS * 1000);
  expect(limit.take("a")).toStrictEqual({ isAllowed: true, retryAfterS: 0 });
});

test("refused tries do not make it wait longer, and looking costs nothing", () => {
  const { clock, limit } = limitOf(10);
  drain(limit, "a", 1000);
  clock.advance(6000);
  for (let i = 0; i < 50; i += 1) expect(limit.peek("a").isAllowed).toBe(true);
  expect(limit.take("a").isAllowed).toBe(true);
});

test("a flood from countless sources neither grows it nor passes it", () => {
  const { clock, limit } = limitOf(1);
  let passed = 0;
  for (let i = 0; i < 30_000; i += 1) passed += limit.take(`source ${i}`).isAllowed ? 1 : 0;
  expect(limit.sources).toBeLessThanOrEqual(10_001);
  expect(passed).toBeLessThanOrEqual(10_001);
  clock.advance(120_000);
  expect(limit.take("another").isAllowed).toBe(true);
  expect(limit.sources).toBeLessThan(10);
});
