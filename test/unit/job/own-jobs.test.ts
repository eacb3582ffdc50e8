import { expect, test } from "vitest";
import { ownCommand } from "../../../src/job/own-command.ts";
import type { CommandObject, JobResult } from "../../../src/job/types.ts";
import { setUp } from "./harness.ts";

const SPEC = { name: "sleep", args: ["1"], dir: "", env: {}, stdin: "", showPid: true };

const own = (more: Partial<CommandObject> = {}): CommandObject =>
  ownCommand("own", "service", more);

test("a protected job is started again after every end, with growing waits", () => {
  const { clock, engine, sink, spawner } = setUp();
  engine.startProgram(own(), SPEC, { isProtected: true });
  for (const waitMs of [2000, 3000, 4500]) {
    const before = spawner.processes.length;
    spawner.last.start(100 + before);
    spawner.last.end({ code: 0 });
    clock.advance(waitMs - 1);
    expect(spawner.processes).toHaveLength(before);
    clock.advance(1);
    expect(spawner.processes).toHaveLength(before + 1);
  }
  expect(sink.results).toEqual([]);
});

test("job.killall spares a protected job, job.kill makes it start again", async () => {
  const { clock, engine, spawner, startProgram } = setUp();
  engine.startProgram(own(), SPEC, { isProtected: true });
  spawner.last.start(7);
  const service = spawner.last;
  const other = startProgram({ id: "client" });
  engine.killAll();
  expect([service.signals, other.signals]).toEqual([[], [15]]);
  engine.kill("own", 9);
  await Promise.resolve();
  expect(engine.list("own")).toHaveLength(1);
  clock.advance(2000);
  expect(spawner.processes).toHaveLength(3);
});

test("its runs are reported to whoever started it, its result is not published", () => {
  const { engine, sink, spawner } = setUp();
  const runs: JobResult[] = [];
  const texts: string[] = [];
  engine.startProgram(own(), SPEC, {
    isProtected: true,
    onRunEnd: (result) => runs.push(result),
    onMessage: ({ text }) => texts.push(text),
  });
  spawner.last.start(7);
  spawner.last.write(1, "hello\n");
  spawner.last.end({ code: 3 });
  expect(runs).toMatchObject([{ code: 1003, streams: ["hello\n", ""] }]);
  expect(texts).toEqual(["hello\n", ""]);
  expect(sink.results).toEqual([]);
});

test("dropping a running one sends 15, and 9 after five seconds", async () => {
  const { clock, engine, spawner } = setUp();
  const drop = engine.startProgram(own(), SPEC, { isProtected: true });
  spawner.last.start(7);
  // This one does not die of 15.
  const signals: number[] = [];
  spawner.last.kill = (signal) => signals.push(signal);
  let isGone = false;
  void drop().then(() => {
    isGone = true;
  });
  clock.advance(4999);
  expect(signals).toEqual([15]);
  clock.advance(1);
  expect(signals).toEqual([15, 9]);
  expect(isGone).toBe(false);
  spawner.last.end({ signal: 9 });
  await Promise.resolve();
  expect(isGone).toBe(true);
  expect([engine.list(), clock.pendingTimers]).toEqual([[], 0]);
});

test("dropping one between two runs ends it at once", async () => {
  const { clock, engine, spawner } = setUp();
  const drop = engine.startProgram(own(), SPEC, { isProtected: true });
  spawner.last.end({ code: 0 });
  await drop();
  clock.advance(600_000);
  expect(spawner.processes).toHaveLength(1);
});

test("dropping one in its queue ends it without a run, and its turn passes", async () => {
  const { engine, sink, spawner, startProgram, submit } = setUp();
  const first = startProgram({ id: "first", queue: "q" });
  const drop = engine.startProgram(own({ queue: "q", stream: true }), SPEC);
  submit({ id: "last", command: "nothing", queue: "q" });
  await drop();
  expect(sink.results).toMatchObject([{ id: "own", state: "ERROR", code: 999 }]);
  expect(sink.results[0]).not.toHaveProperty("streams");
  expect(sink.metasOf("own")).toEqual([131_077]);
  expect(sink.results).toHaveLength(1);
  first.end({ code: 0 });
  expect(sink.results.map(({ id }) => id)).toEqual(["own", "first", "last"]);
  expect(spawner.processes).toHaveLength(1);
});

test("a job that recurs without being protected can be dropped too", async () => {
  const { clock, engine, spawner } = setUp();
  const drop = engine.startProgram(own({ recurringPeriod: 30 }), SPEC);
  spawner.last.end({ code: 0 });
  await drop();
  clock.advance(60_000);
  expect(spawner.processes).toHaveLength(1);
});

test("an id that is known is refused, and so is an unknown command", () => {
  const { engine } = setUp();
  engine.startProgram(own(), SPEC);
  const refused = (code: string) => expect.objectContaining({ code });
  expect(() => engine.startProgram(own(), SPEC)).toThrow(refused("E_JOB_DUPLICATE"));
  expect(() => engine.start(own({ id: "x", command: "no.such" }))).toThrow(refused("E_COMMAND"));
});

test("when the agent stops they are not started again", async () => {
  const { clock, engine, spawner } = setUp();
  engine.startProgram(own(), SPEC, { isProtected: true });
  engine.startProgram(own({ id: "monitor", recurringPeriod: 30 }), SPEC);
  for (const process of spawner.processes) process.start(7);
  engine.stop();
  expect(spawner.processes.map(({ signals }) => signals)).toEqual([[15], [15]]);
  await Promise.resolve();
  expect(engine.list()).toEqual([]);
  clock.advance(600_000);
  expect(spawner.processes).toHaveLength(2);
});

test("jobs of clients do not run again either, and those in a queue end without a run", async () => {
  const { clock, engine, sink, spawner, startProgram, submit } = setUp();
  startProgram({ id: "again", recurring_period: 5 });
  startProgram({ id: "first", queue: "q" });
  submit({ id: "queued", command: "core.system", arguments: { name: "sleep" }, queue: "q" });
  engine.stop();
  await Promise.resolve();
  clock.advance(60_000);
  expect(spawner.processes).toHaveLength(2);
  expect(sink.results.map(({ id, code }) => [id, code])).toEqual([
    ["queued", 999],
    ["again", 999],
    ["first", 999],
  ]);
});
