import { expect, test } from "vitest";
import { Backlog, costOf } from "../../../src/records/backlog.ts";
import { record } from "./records.ts";

const texts = (backlog: Backlog) => backlog.entries().map(({ text }) => text);

test("keeps the newest records, oldest first", () => {
  const backlog = new Backlog({ records: 3, bytes: 10_000 });
  for (const text of ["a", "b", "c", "d", "e"]) backlog.push(record({ text }));
  expect(texts(backlog)).toStrictEqual(["c", "d", "e"]);
});

test("is empty at first", () => {
  expect(texts(new Backlog({ records: 3, bytes: 10_000 }))).toStrictEqual([]);
});

test("keeps as many as their texts leave room for", () => {
  const bytes = 2 * costOf(record({ text: "x".repeat(1000) }));
  const backlog = new Backlog({ records: 10, bytes });
  for (const text of ["a", "b", "c"]) backlog.push(record({ text: text.repeat(1000) }));
  expect(texts(backlog).map((text) => text[0])).toStrictEqual(["b", "c"]);
  backlog.push(record({ text: "small" }));
  expect(texts(backlog).map((text) => text[0])).toStrictEqual(["c", "s"]);
});

test("a record longer than the limit empties it, and it goes on", () => {
  const backlog = new Backlog({ records: 3, bytes: 1000 });
  backlog.push(record());
  backlog.push(record({ text: "x".repeat(2000) }));
  expect(texts(backlog)).toStrictEqual([]);
  backlog.push(record({ text: "next" }));
  expect(texts(backlog)).toStrictEqual(["next"]);
});
