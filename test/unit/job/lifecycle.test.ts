import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { ownCommand } from "../../../src/job/own-command.ts";
import { setUp } from "./harness.ts";

test.each(["x", "[]", '{"id":"a","command":"value","max_time":"x"}', "{}", '{"command":"value"}'])(
  "what cannot be decoded or has no id is dropped: %s",
  (text) => {
    const { engine, sink } = setUp();
    engine.submit(text);
    expect([sink.acceptedIds, sink.results]).toEqual([[], []]);
  },
);

test("a known id is dropped", () => {
  const { sink, submit } = setUp();
  submit({ command: "value", arguments: 1 });
  submit({ command: "value", arguments: 2 });
  expect(sink.results.map(({ data }) => data)).toEqual(["1"]);
  expect(sink.acceptedIds).toEqual(["a"]);
});

test("a command is accepted before anything else is published", () => {
  const { engine, sink, submit } = setUp();
  submit({ command: "slow" });
  expect(sink.acceptedIds).toEqual(["a"]);
  expect(engine.list()).toHaveLength(1);
});

test("a run beyond max_time is killed and timed out", async () => {
  const { clock, sink, startProgram } = setUp();
  const program = startProgram({ max_time: 1 });
  clock.advance(999);
  expect(program.signals).toEqual([]);
  clock.advance(2);
  expect(program.signals).toEqual([9]);
  expect(await sink.resultOf("a")).toMatchObject({
    data: "",
    streams: ["", ""],
    state: "TIMEOUT",
    code: 999,
    time: 1001,
  });
});

test("a run that ends in time leaves no timer", () => {
  const { clock, startProgram } = setUp();
  startProgram({ max_time: 1 }).end({ code: 0 });
  expect(clock.pendingTimers).toBe(0);
});

test("max_time counts from the start of the process", () => {
  const { clock, spawner, submit } = setUp();
  submit({ command: "core.system", arguments: { name: "sleep" }, max_time: 1 });
  clock.advance(5000);
  spawner.last.start(7);
  clock.advance(999);
  expect(spawner.last.signals).toEqual([]);
});

test("a built-in that succeeds after its time is a success", async () => {
  const { clock, commands, sink, submit } = setUp();
  submit({ command: "slow", max_time: 1 });
  clock.advance(2000);
  commands.promise.resolve(1);
  expect(await sink.resultOf("a")).toMatchObject({ state: "SUCCESS", code: 0 });
});

test("a built-in that fails after its time is timed out", async () => {
  const { clock, commands, sink, submit } = setUp();
  submit({ command: "slow", max_time: 1 });
  clock.advance(2000);
  commands.promise.reject(new Error("late"));
  expect(await sink.resultOf("a")).toMatchObject({ state: "TIMEOUT", code: 500 });
});

test("max_restart is the number of runs, a second apart, and the last one is published", () => {
  const { clock, sink, spawner, startProgram } = setUp();
  startProgram({ max_restart: 3 }).end({ code: 1 });
  clock.advance(999);
  expect(spawner.processes).toHaveLength(1);
  clock.advance(1);
  spawner.last.end({ code: 2 });
  clock.advance(1000);
  spawner.last.end({ code: 3 });
  clock.advance(10_000);
  expect(spawner.processes).toHaveLength(3);
  expect(sink.results.map(({ code }) => code)).toEqual([1003]);
});

test("a success is not restarted", () => {
  const { clock, spawner, startProgram } = setUp();
  startProgram({ max_restart: 3 }).end({ code: 0 });
  clock.advance(10_000);
  expect(spawner.processes).toHaveLength(1);
});

test("a failure to start counts as a run", () => {
  const { clock, sink, submit } = setUp();
  submit({ command: "core.system", arguments: { name: "missing" }, max_restart: 2 });
  expect(sink.results).toEqual([]);
  clock.advance(1000);
  expect(sink.results).toHaveLength(1);
});

test("a recurring job runs again after every run and publishes nothing meanwhile", () => {
  const { clock, sink, spawner, startProgram } = setUp();
  startProgram({ recurring_period: 5 }).end({ code: 0 });
  clock.advance(5000);
  spawner.last.end({ code: 1 });
  clock.advance(4999);
  expect(spawner.processes).toHaveLength(2);
  clock.advance(1);
  expect(spawner.processes).toHaveLength(3);
  expect(sink.results).toEqual([]);
});

test("each run of a recurring job has its own last message and its own output", () => {
  const { clock, engine, sink, spawner, startProgram } = setUp();
  const first = startProgram({ recurring_period: 5 });
  first.write(1, "one\n");
  first.end({ code: 0 });
  clock.advance(5000);
  spawner.last.write(1, "two\n");
  engine.unschedule("a");
  spawner.last.end({ code: 0 });
  expect(sink.metasOf("a").filter((meta) => (meta & 6) !== 0)).toHaveLength(2);
  expect(sink.results[0]?.streams).toEqual(["two\n", ""]);
});

test("recurrence goes before restart", () => {
  const { clock, spawner, startProgram } = setUp();
  startProgram({ recurring_period: 5, max_restart: 3 }).end({ code: 1 });
  clock.advance(4999);
  expect(spawner.processes).toHaveLength(1);
});

test("unschedule ends a job between two runs with the result of its last run", () => {
  const { clock, engine, sink, startProgram } = setUp();
  startProgram({ recurring_period: 5 }).end({ code: 4 });
  expect(engine.unschedule("a")).toBe(true);
  expect(sink.results[0]).toMatchObject({ code: 1004 });
  expect(engine.list()).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test("unschedule does not touch the current run", () => {
  const { engine, sink, startProgram } = setUp();
  const program = startProgram({ recurring_period: 5 });
  engine.unschedule("a");
  expect([program.signals, sink.results]).toEqual([[], []]);
  program.end({ code: 0 });
  expect(sink.results).toHaveLength(1);
});

test("unschedule of an unknown job is false", () => {
  expect(setUp().engine.unschedule("x")).toBe(false);
});

test("commands of one queue run one at a time in order", () => {
  const { sink, spawner, submit } = setUp();
  for (const id of ["a", "b"]) {
    submit({ id, command: "core.system", arguments: { name: "sleep" }, queue: "q" });
  }
  submit({ id: "c", command: "core.system", arguments: { name: "sleep" } });
  expect(spawner.processes).toHaveLength(2);
  spawner.processes[0]?.end({ code: 0 });
  expect(spawner.processes).toHaveLength(3);
  expect(sink.acceptedIds).toEqual(["a", "b", "c"]);
});

test("a recurring job keeps its queue until it finally ends", () => {
  const { engine, sink, submit, startProgram } = setUp();
  startProgram({ id: "a", queue: "q", recurring_period: 5 }).end({ code: 0 });
  submit({ id: "b", command: "nothing", queue: "q" });
  expect(sink.results).toEqual([]);
  engine.unschedule("a");
  expect(sink.results.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("an unknown command in a queue does not wait", () => {
  const { sink, submit } = setUp();
  submit({ id: "a", command: "slow", queue: "q" });
  submit({ id: "b", command: "no.such", queue: "q" });
  expect(sink.results.map(({ id }) => id)).toEqual(["b"]);
});

test("there is room again when a job ends at the limit", () => {
  const { engine, startProgram, submit } = setUp({ maxJobs: 2 });
  let calls = 0;
  engine.onRoom(() => {
    calls += 1;
  });
  const program = startProgram({ id: "a" });
  expect(engine.hasRoom()).toBe(true);
  submit({ id: "b", command: "slow" });
  expect(engine.hasRoom()).toBe(false);
  program.end({ code: 0 });
  expect([engine.hasRoom(), calls]).toEqual([true, 1]);
});

test("run resolves with the published result", async () => {
  const { commands, engine, sink } = setUp();
  const command = ownCommand("r", "slow");
  const result = engine.run(command);
  commands.promise.resolve(5);
  expect(await result).toMatchObject({ id: "r", data: "5", state: "SUCCESS" });
  expect(sink.results).toHaveLength(1);
});

test("run of an unknown command resolves too", async () => {
  const { engine } = setUp();
  const result = await engine.run(ownCommand("r", "no.such"));
  expect(result.state).toBe("UNKNOWN_CMD");
});

test("run refuses a known id", async () => {
  const { engine, submit } = setUp();
  submit({ id: "r", command: "slow" });
  await expect(engine.run(ownCommand("r", "value"))).rejects.toThrow(
    expect.objectContaining({ code: "E_JOB_DUPLICATE" }),
  );
});

test("stop tells running built-ins and ends programs", async () => {
  const { engine, sink, submit, startProgram } = setUp();
  submit({ id: "b", command: "until-stop" });
  const program = startProgram();
  engine.stop();
  expect(await sink.resultOf("b")).toMatchObject({ data: '"stopped"', state: "SUCCESS" });
  expect(program.signals).toEqual([15]);
});

test("an error of the spawn path does not end the engine", () => {
  const { engine, sink, spawner, submit } = setUp();
  submit({ command: "core.system", arguments: { name: "sleep" } });
  spawner.last.fail(new AgentError("E_SPAWN", "Cannot run sleep: EAGAIN"));
  submit({ id: "b", command: "nothing" });
  expect(sink.results).toHaveLength(2);
  expect(engine.list()).toEqual([]);
});
