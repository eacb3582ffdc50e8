import { expect, test } from "vitest";
import { costOf } from "../../../src/records/backlog.ts";
import { lostRecord, RecordQueue } from "../../../src/records/record-queue.ts";
import { record } from "./records.ts";

const numbered = (number: number) => record({ text: String(number).padStart(6, "0") });
const COST = costOf(numbered(0));

test("gives records in order, in batches", () => {
  const queue = new RecordQueue(100 * COST);
  for (let number = 0; number < 10; number += 1) queue.push(numbered(number));
  const first = queue.take(4 * COST);
  const rest = queue.take(100 * COST);
  expect(first.records).toHaveLength(4);
  expect([...first.records, ...rest.records].map(({ text }) => Number(text))).toStrictEqual(
    Array.from({ length: 10 }, (_, number) => number),
  );
  expect(queue.isEmpty).toBe(true);
});

test("the oldest records leave first, and their number is told with the next batch", () => {
  const queue = new RecordQueue(1000 * COST);
  for (let number = 0; number < 5000; number += 1) queue.push(numbered(number));
  const { records, lost } = queue.take(Number.POSITIVE_INFINITY);
  expect([lost, queue.allLost]).toStrictEqual([4000, 4000]);
  expect(records.map(({ text }) => Number(text))).toStrictEqual(
    Array.from({ length: 1000 }, (_, at) => 4000 + at),
  );
  queue.push(numbered(1));
  expect(queue.take(COST)).toStrictEqual({ records: [numbered(1)], lost: 0 });
});

test("loses nothing while it is filled and emptied", () => {
  const queue = new RecordQueue(1000 * COST);
  const seen: number[] = [];
  for (let number = 0; number < 10_000; number += 1) {
    queue.push(numbered(number));
    if (number % 3 === 0)
      for (const { text } of queue.take(5 * COST).records) seen.push(Number(text));
  }
  for (const { text } of queue.take(Number.POSITIVE_INFINITY).records) seen.push(Number(text));
  expect(seen).toStrictEqual(Array.from({ length: 10_000 }, (_, number) => number));
});

test("what was taken and could not be written counts as lost, and is not nothing", () => {
  const queue = new RecordQueue(1000 * COST);
  queue.push(numbered(1));
  const { records } = queue.take(COST);
  queue.lose(records.length);
  expect(queue.isEmpty).toBe(false);
  const { lost } = queue.take(COST);
  expect(lost).toBe(1);
  queue.tellAgain(lost);
  expect(queue.take(COST)).toStrictEqual({ records: [], lost: 1 });
  expect(queue.allLost).toBe(1);
});

test("says how many are missing", () => {
  expect(lostRecord(1, 5n)).toMatchObject({ text: "1 record lost", level: 7, epochNs: 5n });
  expect(lostRecord(12, 5n)).toMatchObject({ text: "12 records lost" });
});

test("a text that is too long keeps its beginning, and says what is missing", () => {
  const queue = new RecordQueue(10_000_000);
  queue.push(record({ text: "x".repeat(262_144) }));
  queue.push(record({ text: "y".repeat(1_000_000) }));
  const [whole, cut] = queue.take(Number.POSITIVE_INFINITY).records;
  expect(whole?.text).toBe("x".repeat(262_144));
  expect(cut?.text).toBe(`${"y".repeat(262_144)}\n[737856 characters left out]`);
});
