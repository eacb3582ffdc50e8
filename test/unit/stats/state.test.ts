import { describe, expect, test } from "vitest";
import { MetricState } from "../../../src/stats/state.ts";
import type { Operation } from "../../../src/stats/types.ts";

const NONE = { avg: 0, total: 0, max: 0, count: 0, start: 0 };

const state = (op: Operation) => new MetricState({ metric: "m", value: 0, op, tags: [] });

describe("an average", () => {
  test("feeds every value, the first one too", () => {
    const average = state("A");
    expect(average.toWire()).toStrictEqual({
      op: "A",
      last_value: 0,
      last_time: -1,
      current: { 300: NONE, 3600: NONE },
      history: {},
    });
    for (const [value, time] of [
      [4, 3601],
      [-2, 3602],
      [7, 3899],
    ] as const) {
      expect(average.feed(value, time)).toStrictEqual([]);
    }
    const sample = { avg: 3, total: 9, max: 7, count: 3, start: 3600 };
    expect(average.toWire()).toStrictEqual({
      op: "A",
      last_value: 7,
      last_time: 3899,
      current: { 300: sample, 3600: sample },
      history: {},
    });
  });

  test("the largest of values below zero is below zero", () => {
    const average = state("A");
    average.feed(-5, 1000);
    average.feed(-3, 1001);
    expect(average.toWire().current["300"]).toMatchObject({ max: -3, avg: -4 });
  });

  test("a value of the same second or an earlier one is remembered and not fed", () => {
    const average = state("A");
    average.feed(1, 1000);
    average.feed(2, 1000);
    average.feed(3, 999);
    expect(average.toWire()).toMatchObject({ last_value: 3, last_time: 999 });
    expect(average.toWire().current["300"]).toMatchObject({ count: 1, total: 1 });
  });
});

describe("a differential", () => {
  test("feeds the change per second, not the first value", () => {
    const rate = state("D");
    rate.feed(100, 1000);
    expect(rate.toWire().current["300"]).toStrictEqual(NONE);
    rate.feed(160, 1030);
    rate.feed(150, 1040);
    expect(rate.toWire().current["300"]).toStrictEqual({
      avg: 0.5,
      total: 1,
      max: 2,
      count: 2,
      start: 900,
    });
  });

  test("values too far apart for a number are dropped", () => {
    const rate = state("D");
    rate.feed(-1.7e308, 1000);
    rate.feed(1.7e308, 1001);
    expect(rate.toWire().current["300"]).toStrictEqual(NONE);
  });
});

describe("periods", () => {
  test("the next value ends one, each period by itself", () => {
    const average = state("A");
    average.feed(1, 3590);
    // The hour that began with second 0 cannot be told from one that was never fed.
    expect(average.feed(2, 3600)).toStrictEqual([
      { period: 300, sample: { avg: 1, total: 1, max: 1, count: 1, start: 3300 } },
    ]);
    expect(average.feed(3, 3900)).toStrictEqual([
      { period: 300, sample: { avg: 2, total: 2, max: 2, count: 1, start: 3600 } },
    ]);
    expect(average.toWire().current["3600"]).toMatchObject({ count: 2, total: 5, start: 3600 });
  });

  test("five finished samples stay, oldest first", () => {
    const average = state("A");
    for (let at = 1; at <= 9; at += 1) average.feed(at, at * 300);
    expect(average.toWire().history["300"]?.map(({ avg }) => avg)).toStrictEqual([4, 5, 6, 7, 8]);
    expect(average.toWire().history).not.toHaveProperty("3600");
  });

  test("a clock that is set back does not stop them", () => {
    const average = state("A");
    average.feed(1, 2_000_000_000);
    average.feed(2, 1_000_000_000);
    average.feed(3, 1_000_000_001);
    expect(average.toWire().current["300"]).toMatchObject({ count: 1, total: 3 });
    expect(average.toWire().current["300"]?.start).toBe(999_999_900);
  });
});
