import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commandFrom } from "../../src/job/decode.ts";
import { JournalFile } from "../../src/job/journal-file.ts";
import { recoverJobs } from "../../src/job/recovery.ts";
import type { JobResult } from "../../src/job/types.ts";
import { linuxProcessTree } from "../../src/sys/process-tree.ts";
import { FakeClock } from "../fakes/clock.ts";
import { RecordingSink } from "../fakes/job-sink.ts";
import { silentLog } from "../unit/job/harness.ts";

let folder: string;
let path: string;
let clock: FakeClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "node0-journal-"));
  path = join(folder, "state", "jobs.journal");
  clock = new FakeClock();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const openJournal = (segmentBytes?: number): JournalFile =>
  new JournalFile({
    path,
    clock,
    processes: linuxProcessTree,
    log: silentLog,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  });

/** What the agent after this one does with the journal. */
function recover(): RecordingSink {
  const sink = new RecordingSink();
  recoverJobs({
    journal: openJournal(),
    processes: linuxProcessTree,
    sink,
    log: silentLog,
    cgroups: null,
    clock,
  });
  return sink;
}

const command = (id: string, args: unknown = {}) =>
  commandFrom({ id, command: "core.system", arguments: args });

const result = (id: string, data = ""): JobResult => ({
  id,
  command: "core.system",
  data,
  level: 0,
  state: "SUCCESS",
  code: 0,
  starttime: 1,
  time: 2,
  tags: null,
  container: 0,
});

test("the process group of a lost job is killed, also when its leader is gone", async () => {
  const leader = spawn("sh", ["-c", "sleep 100 & echo $!"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const journal = openJournal();
  journal.open();
  journal.accepted(command("a"));
  journal.started("a", leader.pid ?? 0);
  const orphan = await new Promise<number>((resolve) => {
    leader.stdout.once("data", (text) => resolve(Number(String(text))));
  });
  await new Promise((resolve) => leader.once("exit", resolve));
  expect(isAlive(orphan)).toBe(true);
  const sink = recover();
  // The pipe closes when its last holder dies, which would take 100 s otherwise.
  await new Promise((resolve) => leader.once("close", resolve));
  expect(sink.results).toMatchObject([{ id: "a", state: "ERROR", code: 999 }]);
});

test("a process that only has the number of a lost job lives on", async () => {
  const other = spawn("sleep", ["100"], { detached: true });
  const pid = other.pid ?? 0;
  const ticks = linuxProcessTree.startTicks(pid) ?? 0;
  expect(linuxProcessTree.killGroup(pid, ticks - 1)).toBe(false);
  expect(isAlive(pid)).toBe(true);
  expect(linuxProcessTree.killGroup(pid, ticks)).toBe(true);
  await new Promise((resolve) => other.once("close", resolve));
});

test("a lost job is reported once, and its result is kept for the next agent", () => {
  const journal = openJournal();
  journal.open();
  journal.accepted(command("a"));
  expect(recover().results.map(({ critical }) => critical)).toHaveLength(1);
  clock.advance(1000);
  const again = recover().results;
  expect(again).toMatchObject([{ id: "a", state: "ERROR", code: 999, time: 0 }]);
});

test("results are read back for 300 s", () => {
  const journal = openJournal();
  journal.open();
  journal.accepted(command("a"));
  journal.ended(result("a", "x"));
  clock.advance(300_000);
  expect(recover().results).toEqual([result("a", "x")]);
  clock.advance(1);
  expect(recover().results).toEqual([]);
});

test("a result that is too long is not kept", () => {
  const journal = openJournal();
  journal.open();
  journal.accepted(command("a"));
  journal.ended(result("a", "x".repeat(65_537)));
  expect(recover().results).toEqual([]);
});

test("a full file is replaced and unfinished jobs move on", () => {
  const journal = openJournal(10_000);
  journal.open();
  journal.accepted(command("long"));
  for (let i = 0; i < 1000; i += 1) {
    journal.accepted(command(`j${i}`));
    journal.ended(result(`j${i}`));
  }
  expect(statSync(path).size).toBeLessThan(11_000);
  expect(statSync(`${path}.old`).size).toBeLessThan(11_000);
  const { results } = recover();
  expect(results.find(({ id }) => id === "long")).toMatchObject({ code: 999 });
  expect(results.find(({ id }) => id === "j999")).toEqual(result("j999"));
  expect(existsSync(`${path}.old`)).toBe(false);
});

test("arguments are not written, and only root reads the journal", () => {
  const journal = openJournal();
  journal.open();
  journal.accepted(command("a", { stdin: "secret" }));
  expect(readFileSync(path, "utf8")).not.toContain("secret");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "state")).mode & 0o777).toBe(0o700);
});

test("a journal that cannot be written does not stop jobs", () => {
  path = join("/etc/passwd", "jobs.journal");
  const journal = openJournal();
  expect(journal.open().unfinished).toEqual([]);
  expect(() => {
    journal.accepted(command("a"));
    journal.started("a", process.pid);
    journal.ended(result("a"));
  }).not.toThrow();
});

function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
  return stat !== "" && !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
}
