import { expect, test } from "vitest";
import { setUp } from "./harness.ts";

const NEVER = -6_795_364_578_871;

test("a running program is listed with its pid and the usage of its group", () => {
  const { engine, startProgram } = setUp();
  startProgram({ tags: ["t"] });
  expect(JSON.stringify(engine.list())).toBe(
    '[{"cpu":1.5,"rss":101,"vms":2,"swap":3,"starttime":1795168462881,' +
      '"cmd":{"id":"a","command":"core.system","arguments":{"name":"sleep"},"queue":"",' +
      '"stream":false,"tags":["t"]},"pid":101}]',
  );
});

test("a built-in is listed with pid 0", () => {
  const { engine, submit } = setUp();
  submit({ command: "slow" });
  expect(engine.list()).toMatchObject([{ pid: 0, rss: 0 }]);
});

test("an extension is listed with its usage but without its pid", () => {
  const { engine, startProgram } = setUp();
  startProgram({ command: "extension" });
  expect(engine.list()).toMatchObject([{ pid: 0, rss: 101 }]);
});

test("a program that is being started is listed with pid -1", () => {
  const { engine, submit } = setUp();
  submit({ command: "core.system", arguments: { name: "sleep" } });
  expect(engine.list()).toMatchObject([{ pid: -1, rss: 0 }]);
});

test("a queued job is listed as never started", () => {
  const { engine, startProgram, submit } = setUp();
  startProgram({ id: "a", queue: "q" });
  submit({ id: "b", command: "core.system", arguments: { name: "sleep" }, queue: "q" });
  expect(engine.list("b")).toMatchObject([{ pid: 0, starttime: NEVER, cmd: { queue: "q" } }]);
});

test("a job that ended is not listed", async () => {
  const { engine, sink, startProgram } = setUp();
  startProgram();
  engine.kill("a", 9);
  await sink.resultOf("a");
  expect([engine.list(), engine.list("a"), engine.pids()]).toEqual([[], [], []]);
});

test("one job can be listed", () => {
  const { engine, submit, startProgram } = setUp();
  startProgram({ id: "a" });
  submit({ id: "b", command: "slow" });
  expect(engine.list("b").map(({ cmd }) => cmd["id"])).toEqual(["b"]);
});

test("a job killed by any signal is an ERROR with code 999", async () => {
  const { engine, sink, startProgram } = setUp();
  startProgram();
  expect(engine.kill("a", 15)).toBe(true);
  expect(await sink.resultOf("a")).toMatchObject({
    streams: ["", ""],
    level: 0,
    state: "ERROR",
    code: 999,
  });
});

test("killing an unknown job is false", () => {
  expect(setUp().engine.kill("x", 9)).toBe(false);
});

test("killing a queued job is an error", () => {
  const { engine, startProgram, submit } = setUp();
  startProgram({ id: "a", queue: "q" });
  submit({ id: "b", command: "core.system", arguments: { name: "sleep" }, queue: "q" });
  expect(() => engine.kill("b", 9)).toThrow(expect.objectContaining({ code: 500 }));
});

test("a built-in swallows signals", () => {
  const { engine, submit } = setUp();
  submit({ command: "slow" });
  expect(engine.kill("a", 9)).toBe(true);
  expect(engine.list()).toHaveLength(1);
});

test("a kill does not stop recurrence", async () => {
  const { clock, engine, spawner, startProgram } = setUp();
  const program = startProgram({ recurring_period: 5 });
  engine.kill("a", 9);
  await Promise.resolve();
  expect(program.signals).toEqual([9]);
  clock.advance(5000);
  expect(spawner.processes).toHaveLength(2);
});

test("a signal sent between two runs hits the next run", () => {
  const { clock, engine, spawner, startProgram } = setUp();
  startProgram({ recurring_period: 5 }).end({ code: 0 });
  engine.kill("a", 15);
  clock.advance(5000);
  expect(spawner.last.signals).toEqual([15]);
});

test("the sixth undelivered signal is an error", () => {
  const { engine, startProgram } = setUp();
  startProgram({ recurring_period: 5 }).end({ code: 0 });
  for (let i = 0; i < 5; i += 1) engine.kill("a", 15);
  expect(() => engine.kill("a", 15)).toThrow(expect.objectContaining({ code: 500 }));
});

test("killAll sends 15 to every running program and leaves queued jobs alone", () => {
  const { engine, spawner, startProgram, submit } = setUp();
  startProgram({ id: "a" });
  startProgram({ id: "b", queue: "q" });
  submit({ id: "c", command: "core.system", arguments: { name: "sleep" }, queue: "q" });
  submit({ id: "d", command: "slow" });
  engine.killAll();
  expect(spawner.processes.map(({ signals }) => signals)).toEqual([[15], [15]]);
});

test("pids are those of running programs, extensions included", () => {
  const { engine, startProgram, submit } = setUp();
  startProgram({ id: "a" });
  startProgram({ id: "b", command: "extension" });
  submit({ id: "c", command: "slow" });
  expect(engine.pids()).toEqual([101, 102]);
});

test("a program killed with 9 is not listed while the kernel takes it away", () => {
  const { engine, startProgram } = setUp();
  const program = startProgram();
  program.kill = () => {};
  engine.kill("a", 9);
  expect([engine.list(), engine.list("a")]).toEqual([[], []]);
});

test("one that will run again stays in the list", () => {
  const { engine, startProgram } = setUp();
  startProgram({ id: "a", recurring_period: 5 });
  startProgram({ id: "b", max_restart: 2 });
  engine.kill("a", 9);
  engine.kill("b", 9);
  expect(engine.list()).toHaveLength(2);
});

test("who kills a program can wait until it is gone, but not for ever", async () => {
  const { clock, engine, startProgram } = setUp();
  startProgram({ id: "a" });
  engine.kill("a", 15);
  await engine.whenKilled("a", 1000);
  expect([engine.list(), clock.pendingTimers]).toEqual([[], 0]);
  const stubborn = startProgram({ id: "b" });
  stubborn.kill = () => {};
  engine.kill("b", 15);
  const waiting = engine.whenKilled("b", 1000);
  clock.advance(1000);
  await waiting;
  expect(engine.list()).toHaveLength(1);
});
