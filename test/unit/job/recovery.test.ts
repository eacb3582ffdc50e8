import { expect, test } from "vitest";
import { type Journal, type JournalContent, NO_JOURNAL } from "../../../src/job/journal.ts";
import type { CommandObject, JobResult } from "../../../src/job/types.ts";
import { FakeCgroups } from "../../fakes/cgroups.ts";
import { setUp } from "./harness.ts";

/** Keeps the calls as text and starts with what a previous agent left. */
class FakeJournal implements Journal {
  readonly calls: string[] = [];
  readonly #content: JournalContent;

  constructor(content: Partial<JournalContent> = {}) {
    this.#content = { ...NO_JOURNAL.open(), ...content };
  }

  open(): JournalContent {
    return this.#content;
  }

  accepted({ id }: CommandObject): void {
    this.calls.push(`accepted ${id}`);
  }

  started(id: string, pid: number): void {
    this.calls.push(`started ${id} ${pid}`);
  }

  ended({ id }: JobResult): void {
    this.calls.push(`ended ${id}`);
  }
}

const LOST = { id: "a", command: "core.system", tags: ["t"], stream: false, acceptedMs: 1000 };
const RUNNING = { ...LOST, process: { pid: 7, startTicks: 70 } };

test("a job that ran when the agent died is killed and has a result that says so", () => {
  const journal = new FakeJournal({ unfinished: [RUNNING] });
  const { clock, engine, processes, sink } = setUp({ journal });
  engine.recover();
  expect(processes.killed).toEqual([7]);
  expect(sink.acceptedIds).toEqual(["a"]);
  expect(sink.results).toEqual([
    {
      id: "a",
      command: "core.system",
      data: "",
      streams: ["", ""],
      critical: "agent restarted while the job was running",
      level: 0,
      state: "ERROR",
      code: 999,
      starttime: 1000,
      time: clock.wallMs() - 1000,
      tags: ["t"],
      container: 0,
    },
  ]);
  expect(journal.calls).toEqual(["ended a"]);
});

test("cgroups of jobs that had not ended are killed, daemons of others go on", () => {
  const cgroups = new FakeCgroups();
  cgroups.leftovers = ["a", "ended before"];
  setUp({ journal: new FakeJournal({ unfinished: [RUNNING] }), cgroups }).engine.recover();
  expect(cgroups.leftovers).toEqual(["ended before"]);
});

test("a job without a process has a result without streams", () => {
  const journal = new FakeJournal({ unfinished: [{ ...LOST, process: null }] });
  const { engine, processes, sink } = setUp({ journal });
  engine.recover();
  expect(processes.killed).toEqual([]);
  expect(sink.results[0]).toMatchObject({ state: "ERROR", code: 999 });
  expect(sink.results[0]).not.toHaveProperty("streams");
  expect(sink.results[0]?.critical).toContain("agent restarted before");
});

test("nothing is killed when the kernel was started anew", () => {
  const journal = new FakeJournal({ unfinished: [RUNNING], isSameBoot: false });
  const { engine, processes, sink } = setUp({ journal });
  engine.recover();
  expect(processes.killed).toEqual([]);
  expect(sink.results).toHaveLength(1);
});

test("results of the previous agent are published again", () => {
  const first = setUp();
  first.submit({ command: "nothing" });
  const [result] = first.sink.results;
  if (result === undefined) throw new Error("no result");
  const journal = new FakeJournal({ finished: [{ result, endedMs: 1 }] });
  const { engine, sink } = setUp({ journal });
  engine.recover();
  expect([sink.acceptedIds, sink.results]).toEqual([["a"], [result]]);
});

test("a job is in the journal from acceptance over each start to its end", () => {
  const journal = new FakeJournal();
  const { clock, spawner, startProgram } = setUp({ journal });
  startProgram({ max_restart: 2 }).end({ code: 1 });
  clock.advance(1000);
  spawner.last.start(8);
  spawner.last.end({ code: 1 });
  expect(journal.calls).toEqual(["accepted a", "started a 101", "started a 8", "ended a"]);
});

test("a queued job is in the journal, one that ended at once is not", () => {
  const journal = new FakeJournal();
  const { submit } = setUp({ journal });
  submit({ id: "a", command: "slow", queue: "q" });
  submit({ id: "b", command: "nothing", queue: "q" });
  submit({ id: "c", command: "nothing" });
  submit({ id: "d", command: "no.such" });
  expect(journal.calls.filter((call) => call.startsWith("accepted"))).toEqual([
    "accepted a",
    "accepted b",
  ]);
});

test("the stream of a lost job ends", () => {
  const journal = new FakeJournal({ unfinished: [{ ...RUNNING, stream: true }] });
  const { engine, sink } = setUp({ journal });
  engine.recover();
  expect(sink.metasOf("a")).toEqual([131_077]);
});
