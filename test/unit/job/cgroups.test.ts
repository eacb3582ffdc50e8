import { expect, test } from "vitest";
import { ownCommand } from "../../../src/job/own-command.ts";
import { FakeCgroups } from "../../fakes/cgroups.ts";
import { setUp } from "./harness.ts";

const LIMITS = { memory: 1024, pids: 5, cpu: 50 };
const NONE = { memory: 0, pids: 0, cpu: 0 };

function withCgroups(limits = NONE) {
  const cgroups = new FakeCgroups();
  return { cgroups, ...setUp({ cgroups, limits }) };
}

test("a program starts in a cgroup of its own; what it leaves in the background goes on", () => {
  const { cgroups, spawner, startProgram } = withCgroups();
  const program = startProgram();
  expect(spawner.last.request.cgroup).toBe("/cgroup/a");
  expect(cgroups.last.calls).toEqual([]);
  program.end({ code: 0 });
  expect(cgroups.last.calls).toEqual(["release"]);
});

test.each([
  [15, ["remove"]],
  [2, ["remove"]],
  [1, ["release"]],
  [10, ["release"]],
])("a job that ends after signal %d: %j of its cgroup", async (signal, calls) => {
  const { cgroups, engine, sink, startProgram } = withCgroups();
  startProgram();
  engine.kill("a", signal);
  await sink.resultOf("a");
  expect(cgroups.last.calls).toEqual(calls);
});

test("a protected job leaves nothing in the background", () => {
  const { cgroups, engine, spawner } = withCgroups();
  const spec = { name: "sleep", args: [], dir: "", env: {}, stdin: "", showPid: true };
  engine.startProgram(ownCommand("own", "own"), spec, { isProtected: true });
  spawner.last.start(7);
  spawner.last.end({ code: 0 });
  expect(cgroups.last.calls).toEqual(["remove"]);
});

test("every run has a cgroup of its own", () => {
  const { cgroups, clock, startProgram } = withCgroups();
  startProgram({ recurring_period: 1 }).end({ code: 0 });
  clock.advance(1000);
  expect(cgroups.made).toHaveLength(2);
});

test("signal 9 and the end of max_time kill the whole cgroup, 15 only signals the group", () => {
  const { cgroups, clock, engine, startProgram } = withCgroups();
  const first = startProgram({ id: "a" });
  engine.kill("a", 15);
  expect([first.signals, cgroups.last.calls]).toEqual([[15], []]);
  startProgram({ id: "b" });
  engine.kill("b", 9);
  expect(cgroups.last.calls).toEqual(["kill"]);
  startProgram({ id: "c", max_time: 1 });
  clock.advance(1000);
  expect(cgroups.last.calls).toEqual(["kill"]);
});

test("a kill during the start reaches what the program forked before it was known", () => {
  const { cgroups, engine, spawner, submit } = withCgroups();
  submit({ command: "core.system", arguments: { name: "sleep" } });
  engine.kill("a", 9);
  spawner.last.start(7);
  expect(cgroups.last.calls).toEqual(["kill", "kill"]);
});

test("a program that cannot be started leaves no cgroup", () => {
  const { cgroups, spawner, submit } = withCgroups();
  submit({ command: "core.system", arguments: { name: "sleep" } });
  spawner.last.fail(Object.assign(new Error("no"), { code: "E", fields: {} }) as never);
  expect(cgroups.last.calls).toEqual(["remove"]);
});

test("a job's own limits go before those of the configuration, one by one", () => {
  const { cgroups, startProgram } = withCgroups(LIMITS);
  startProgram({ id: "a" });
  expect(cgroups.last.limits).toEqual(LIMITS);
  startProgram({ id: "b", limits: { memory: 99, cpu: null } });
  expect(cgroups.last.limits).toEqual({ memory: 99, pids: 5, cpu: 50 });
});

test("jobs of the node itself have the limits they name and no others", () => {
  const { cgroups, engine } = withCgroups(LIMITS);
  const spec = { name: "sleep", args: [], dir: "", env: {}, stdin: "", showPid: true };
  engine.startProgram(ownCommand("own", "own"), spec);
  expect(cgroups.last.limits).toEqual(NONE);
});

test("a job that ran out of memory says so", async () => {
  const { cgroups, sink, startProgram } = withCgroups();
  const program = startProgram({ limits: LIMITS });
  cgroups.last.isOutOfMemory = true;
  program.end({ signal: 9 });
  expect(await sink.resultOf("a")).toMatchObject({
    state: "ERROR",
    code: 999,
    critical: "the job reached its memory limit\n",
  });
});

test("a limit that cannot be enforced fails the job with code 503, and its stream ends", () => {
  for (const setting of [setUp(), withCgroups()] as const) {
    if ("cgroups" in setting) setting.cgroups.obstacle = "there is no cgroup v2";
    const { sink, spawner, submit } = setting;
    const program = { command: "core.system", arguments: { name: "sleep" }, stream: true };
    submit({ ...program, limits: { pids: 5 } });
    expect(spawner.processes).toEqual([]);
    expect(sink.results[0]).toMatchObject({ state: "ERROR", code: 503 });
    expect(sink.results[0]?.data).toMatch(/limits are unsupported here/);
    expect(sink.metasOf("a")).toEqual([131_077]);
  }
});

test("without limits a job runs where no cgroup can be made", () => {
  const { cgroups, spawner, startProgram } = withCgroups();
  cgroups.failure = "no space";
  startProgram();
  expect(spawner.last.request.cgroup).toBeUndefined();
});

test("limits of the configuration that cannot be enforced do not stop jobs", () => {
  const { spawner, startProgram } = setUp({ limits: LIMITS });
  startProgram();
  expect(spawner.processes).toHaveLength(1);
});

test("a built-in cannot be limited", () => {
  const { sink, submit } = withCgroups();
  submit({ command: "value", limits: { memory: 1 } });
  expect(sink.results[0]).toMatchObject({ state: "ERROR", code: 400 });
});

test("limits are shown in the job list as they were given", () => {
  const { engine, startProgram } = withCgroups();
  startProgram({ limits: { pids: 5 } });
  expect(engine.list()[0]?.cmd["limits"]).toEqual({ memory: 0, pids: 5, cpu: 0 });
});

test.each([[{ memory: "x" }], [{ pids: -1 }], [{ cpu: 1.5 }], ["x"], [[1]]])(
  "limits %j make a command undecodable",
  (limits) => {
    const { sink, submit } = withCgroups();
    submit({ command: "value", limits });
    expect(sink.acceptedIds).toEqual([]);
  },
);

test("the list shows memory and processor time of the cgroup, and pids are all in it", () => {
  const { cgroups, clock, engine, startProgram } = withCgroups();
  startProgram();
  cgroups.last.members = [101, 102];
  cgroups.last.current = { cpuMs: 500, memoryBytes: 4096 };
  clock.advance(1000);
  expect(engine.list()).toMatchObject([{ cpu: 50, rss: 4096, vms: 2, swap: 3 }]);
  expect(engine.pids()).toEqual([101, 102]);
  cgroups.last.current = { cpuMs: 500, memoryBytes: null };
  expect(engine.list()).toMatchObject([{ rss: 2 }]);
});
