import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LogFile } from "../../src/records/log-file.ts";
import { FakeClock } from "../fakes/clock.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { record } from "../unit/records/records.ts";

let directory: string;
let clock: FakeClock;
let log: QuietLog;
const files: LogFile[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-log-"));
  clock = new FakeClock();
  log = new QuietLog();
});

afterEach(async () => {
  for (const file of files.splice(0)) await file.stop();
  rmSync(directory, { recursive: true, force: true });
});

function openLog(options: { path?: string; size?: number; keep?: number } = {}): LogFile {
  const path = join(directory, "jobs.log");
  const file = new LogFile({ path, size: 65_536, keep: 3, clock, log, ...options });
  files.push(file);
  return file;
}

const messagesOf = (name: string): string[] =>
  readFileSync(join(directory, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).message);

/** Old files and the present one, in the order in which they were written. */
const filesOf = (): string[] => {
  const names = readdirSync(directory).filter((name) => name.startsWith("jobs.log"));
  return names.sort(
    (one, other) =>
      Number(one === "jobs.log") - Number(other === "jobs.log") || (one < other ? -1 : 1),
  );
};

test("writes each record as a line, readable by root alone", async () => {
  const file = openLog();
  for (const text of ["a\n", "b", "ü"]) file.push(record({ text, level: 2 }));
  await file.flush();
  expect(messagesOf("jobs.log")).toStrictEqual(["a\n", "b", "ü"]);
  expect(statSync(join(directory, "jobs.log")).mode & 0o777).toBe(0o600);
});

test("begins a new file when one is full, and keeps as many old ones as asked for", async () => {
  const file = openLog({ keep: 2 });
  for (let number = 0; number < 4000; number += 1) {
    file.push(record({ text: `${number}`.padStart(200, "0") }));
    // A minute apart, so that names tell the files apart; many in one millisecond do it too.
    if (number % 100 === 0) clock.advance(60_000);
    if (number % 500 === 0) await file.flush();
  }
  await file.flush();
  file.push(record({ text: "4000" }));
  await file.flush();
  const names = filesOf();
  expect(names).toHaveLength(3);
  const numbers = names.flatMap((name) => messagesOf(name).map(Number));
  const first = numbers[0] ?? 0;
  expect(numbers).toStrictEqual(Array.from({ length: 4001 - first }, (_, at) => first + at));
  expect(numbers.length).toBeGreaterThan(400);
  for (const name of names) {
    expect(statSync(join(directory, name)).size).toBeLessThan(65_536 + 300 * 1024);
  }
});

test("several files within a millisecond have different names", async () => {
  const file = openLog({ keep: 10 });
  for (let count = 0; count < 3; count += 1) {
    file.push(record({ text: String(count) }));
    await file.rotate();
  }
  expect(filesOf()).toHaveLength(4);
});

test("goes on in the file it finds, and begins a new one when asked to", async () => {
  const before = openLog();
  before.push(record({ text: "before" }));
  await before.flush();
  const file = openLog();
  file.push(record({ text: "after" }));
  await file.flush();
  expect(messagesOf("jobs.log")).toStrictEqual(["before", "after"]);
  await file.rotate();
  expect(statSync(join(directory, "jobs.log")).size).toBe(0);
  const [old = ""] = filesOf();
  expect(old).toMatch(/^jobs\.log\.\d{8}T\d{6}\.\d{3}Z$/);
  expect(messagesOf(old)).toStrictEqual(["before", "after"]);
  file.push(record({ text: "new" }));
  await file.flush();
  expect(messagesOf("jobs.log")).toStrictEqual(["new"]);
});

test("no old files are kept when none are wanted, and others are left alone", async () => {
  writeFileSync(join(directory, "jobs.log.mine"), "");
  const file = openLog({ keep: 0 });
  file.push(record());
  await file.rotate();
  expect(readdirSync(directory).sort()).toStrictEqual(["jobs.log", "jobs.log.mine"]);
});

describe("what cannot be written", () => {
  /** Pushes, has it tried, and lets the time until the next try pass. */
  const tryToWrite = async (file: LogFile, text: string): Promise<void> => {
    file.push(record({ text }));
    await vi.waitUntil(() => clock.pendingTimers > 0);
    clock.advance(5000);
  };

  test("a directory that is not there: later records come, and how many are missing", async () => {
    const path = join(directory, "later", "jobs.log");
    const file = openLog({ path });
    await tryToWrite(file, "lost");
    await tryToWrite(file, "lost too");
    await expect(file.rotate()).rejects.toThrow("Cannot begin a new log file: ENOENT");
    mkdirSync(join(directory, "later"));
    await file.flush();
    file.push(record({ text: "kept" }));
    await file.flush();
    const messages = messagesOf("later/jobs.log");
    expect(messages.at(-1)).toBe("kept");
    expect(messages).toContain("2 records lost");
    // Once, not for every record.
    expect(log.lines.filter(([level]) => level === "warn")).toHaveLength(1);
  });

  test.each(["a FIFO", "a directory", "a link"])("%s in its place is left alone", async (what) => {
    const path = join(directory, "jobs.log");
    if (what === "a FIFO") execFileSync("mkfifo", [path]);
    if (what === "a directory") mkdirSync(path);
    if (what === "a link") symlinkSync(join(directory, "target"), path);
    const file = openLog();
    await tryToWrite(file, "lost");
    expect(log.lines[0]?.[1]).toBe("log file of jobs cannot be written");
    expect(readdirSync(directory)).toStrictEqual(["jobs.log"]);
  });

  test("a full disk: nothing throws, and it goes on when there is room", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "node0-log", directory]);
    try {
      writeFileSync(join(directory, "filler"), Buffer.alloc(200 * 1024));
      const file = openLog({ size: 1_048_576 });
      for (let count = 0; count < 1000; count += 1) file.push(record({ text: "x".repeat(200) }));
      await vi.waitUntil(() => clock.pendingTimers > 0);
      expect(log.lines[0]?.[2]["reason"]).toContain("ENOSPC");
      rmSync(join(directory, "filler"));
      clock.advance(5000);
      file.push(record({ text: "kept" }));
      await file.flush();
      const text = readFileSync(join(directory, "jobs.log"), "utf8");
      expect(text).toMatch(/"message":"\d+ records lost"/);
      expect(text).toContain('"message":"kept"');
      expect(log.lines.at(-1)?.[1]).toBe("log file of jobs is written again");
      await file.stop();
    } finally {
      execFileSync("umount", ["-l", directory]);
    }
  });

  test("more than it keeps up with: the oldest leave, memory does not grow", async () => {
    const file = openLog({ size: 64 * 1_048_576 });
    const text = "x".repeat(32_768);
    for (let count = 0; count < 1000; count += 1) file.push(record({ text }));
    file.push(record({ text: "last" }));
    await file.flush();
    const messages = messagesOf("jobs.log");
    expect(messages.at(-1)).toBe("last");
    expect(messages.some((message) => /^\d+ records lost$/.test(message))).toBe(true);
    expect(messages.length).toBeLessThan(300);
  });
});
