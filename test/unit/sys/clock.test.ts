import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/sys/clock.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

test("nanoseconds and milliseconds of the wall clock agree", () => {
  const before = systemClock.wallMs();
  const nowMs = Number(systemClock.wallNs() / 1_000_000n);
  expect(nowMs).toBeGreaterThanOrEqual(before - 6);
  expect(nowMs).toBeLessThanOrEqual(systemClock.wallMs() + 6);
});

test("the monotonic clock never goes back", () => {
  const first = systemClock.monotonicMs();
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first);
});

test("an action runs once after its delay", () => {
  let runs = 0;
  systemClock.after(1000, () => {
    runs += 1;
  });
  vi.advanceTimersByTime(999);
  expect(runs).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect(runs).toBe(1);
});

test("a delay longer than Node's longest timer is kept", () => {
  let runs = 0;
  systemClock.after(60 * DAY_MS, () => {
    runs += 1;
  });
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(runs).toBe(0);
  vi.advanceTimersByTime(1);
  expect(runs).toBe(1);
});

test("a long delay can be cancelled in its later part", () => {
  let runs = 0;
  const cancel = systemClock.after(60 * DAY_MS, () => {
    runs += 1;
  });
  vi.advanceTimersByTime(40 * DAY_MS);
  cancel();
  vi.advanceTimersByTime(40 * DAY_MS);
  expect(runs).toBe(0);
});
