import { expect, test } from "vitest";
import {
  formatLines,
  type JournalLine,
  journalLines,
  parseJournal,
} from "../../../src/job/journal-lines.ts";
import type { JobResult } from "../../../src/job/types.ts";

const RESULT: JobResult = {
  id: "a",
  command: "c",
  data: "",
  level: 0,
  state: "SUCCESS",
  code: 0,
  starttime: 1,
  time: 2,
  tags: null,
  container: 0,
};
const BOOT: JournalLine = { type: "boot", id: "boot-1" };
const ACCEPTED: JournalLine = { type: "accepted", id: "a", command: "c", tags: ["t"], ms: 5 };
const STARTED: JournalLine = { type: "started", id: "a", pid: 7, startTicks: 70 };
const ENDED: JournalLine = { type: "ended", id: "a", ms: 100, result: RESULT };
const UNFINISHED = {
  id: "a",
  command: "c",
  tags: ["t"],
  stream: false,
  acceptedMs: 5,
  process: null,
};

const parse = (lines: readonly JournalLine[]) =>
  parseJournal(formatLines(lines), { bootId: "boot-1", sinceMs: 50 });

test("an empty journal is of this boot and holds nothing", () => {
  expect(parse([])).toEqual({ unfinished: [], finished: [], isSameBoot: true });
});

test("a job without an end is unfinished", () => {
  expect(parse([BOOT, ACCEPTED]).unfinished).toEqual([UNFINISHED]);
});

test("an unfinished job has the process of its last run", () => {
  const second: JournalLine = { type: "started", id: "a", pid: 8, startTicks: 80 };
  expect(parse([BOOT, ACCEPTED, STARTED, second]).unfinished).toEqual([
    { ...UNFINISHED, process: { pid: 8, startTicks: 80 } },
  ]);
});

test("a job with an end is finished", () => {
  expect(parse([BOOT, ACCEPTED, STARTED, ENDED])).toEqual({
    unfinished: [],
    finished: [{ result: RESULT, endedMs: 100 }],
    isSameBoot: true,
  });
});

test("old results and results too long to keep are left out", () => {
  expect(parse([ACCEPTED, { ...ENDED, ms: 49 }]).finished).toEqual([]);
  expect(parse([ACCEPTED, { ...ENDED, result: null }]).finished).toEqual([]);
});

test("an id that is used again is unfinished again", () => {
  expect(parse([ACCEPTED, ENDED, ACCEPTED])).toMatchObject({
    unfinished: [UNFINISHED],
    finished: [],
  });
});

test("a journal of another boot says so", () => {
  expect(parse([{ type: "boot", id: "boot-0" }, ACCEPTED]).isSameBoot).toBe(false);
});

test("a line that was cut is passed over", () => {
  const text = formatLines([BOOT, ACCEPTED, STARTED]);
  for (let length = 0; length < text.length; length += 1) {
    const content = parseJournal(text.slice(0, length), { bootId: "boot-1", sinceMs: 0 });
    expect(content.unfinished.length).toBeLessThanOrEqual(1);
  }
  expect(
    parseJournal(`${text}{"type":"en`, { bootId: "boot-1", sinceMs: 0 }).unfinished,
  ).toHaveLength(1);
});

test("what was read can be written again", () => {
  const content = parse([
    BOOT,
    ACCEPTED,
    STARTED,
    { ...ACCEPTED, id: "b" },
    { ...ACCEPTED, id: "c" },
    { ...ENDED, id: "c", result: { ...RESULT, id: "c" } },
  ]);
  expect(parse([BOOT, ...journalLines(content)])).toEqual(content);
});
