import { expect, test } from "vitest";
import { command as subscribe } from "../../../src/api/commands/core/subscribe.ts";
import type { Services } from "../../../src/api/services.ts";
import type { JobHandle } from "../../../src/command/command.ts";
import { JobEngine } from "../../../src/job/engine.ts";
import { FollowGraph } from "../../../src/job/follow-graph.ts";
import { NO_JOURNAL } from "../../../src/job/journal.ts";
import type { Executable } from "../../../src/job/types.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { RecordingSink } from "../../fakes/job-sink.ts";
import { FakeSpawner } from "../../fakes/spawner.ts";
import { FakeProcessTree, silentLog, TestCommands } from "./harness.ts";

/** An engine that also knows `core.subscribe`, with one running program of the id `target`. */
function setUp(target: Record<string, unknown> = {}) {
  const commands = new TestCommands();
  const [clock, sink, spawner] = [new FakeClock(), new RecordingSink(), new FakeSpawner()];
  const resolve = (name: string): Executable | undefined =>
    name === "core.subscribe" ? subscribeWith(() => engine) : commands.resolve(name);
  const engine: JobEngine = new JobEngine({
    resolve,
    sink,
    clock,
    spawn: spawner,
    processes: new FakeProcessTree(),
    journal: NO_JOURNAL,
    log: silentLog,
  });
  const submit = (command: Record<string, unknown>) => engine.submit(JSON.stringify(command));
  const follow = (id: string, followed: string) =>
    submit({ id, command: "core.subscribe", arguments: { id: followed }, stream: true });
  const program = { id: "target", command: "core.system", arguments: { name: "x" } };
  submit({ ...program, ...target });
  spawner.processes[0]?.start(7);
  return { clock, engine, sink, spawner, submit, follow, program };
}

function subscribeWith(engine: () => JobEngine): Executable {
  if (subscribe.kind !== "builtin") throw new Error("not a built-in");
  const { run } = subscribe;
  return {
    kind: "builtin",
    level: subscribe.level ?? 20,
    run: (args: unknown, job: JobHandle) =>
      run({ jobs: engine() } as unknown as Services, args, job),
  };
}

test("a subscriber copies messages and ends with the state of the job and code 0", async () => {
  const { follow, sink, spawner } = setUp();
  spawner.last.write(1, "early\n");
  follow("s", "target");
  spawner.last.write(2, "late\n");
  spawner.last.end({ code: 3 });
  expect(await sink.resultOf("s")).toMatchObject({
    data: "",
    streams: ["early\n", "late\n"],
    level: 0,
    state: "ERROR",
    code: 0,
  });
  expect(sink.textsOf("s")).toEqual(["early\n", "late\n", ""]);
  expect(sink.metasOf("s")).toEqual([65_537, 131_073, 131_077]);
});

test("the sample of a job that prints, publishes and fails", async () => {
  const { follow, sink, spawner } = setUp();
  follow("s", "target");
  spawner.last.write(1, "a\n3::pub\n");
  spawner.last.end({ code: 2 });
  expect(await sink.resultOf("s")).toMatchObject({ streams: ["a\n", ""], code: 0 });
  expect(sink.metasOf("s")).toEqual([65_537, 196_609, 131_077]);
});

test("the followed job's result message becomes the subscriber's", async () => {
  const { follow, sink, spawner } = setUp();
  follow("s", "target");
  spawner.last.write(1, "20::[1]\n");
  spawner.last.end({ code: 0 });
  expect(await sink.resultOf("s")).toMatchObject({ data: "[1]\n", level: 20, state: "SUCCESS" });
});

test("a subscriber starts with the last 10 messages", async () => {
  const { follow, sink, spawner } = setUp();
  for (let i = 0; i < 12; i += 1) spawner.last.write(1, `${i}\n`);
  follow("s", "target");
  expect(sink.textsOf("s")).toEqual([
    "2\n",
    "3\n",
    "4\n",
    "5\n",
    "6\n",
    "7\n",
    "8\n",
    "9\n",
    "10\n",
    "11\n",
  ]);
});

test("any number of subscribers follow one job, and each other", async () => {
  const { follow, sink, spawner } = setUp();
  follow("s", "target");
  follow("t", "target");
  follow("u", "t");
  spawner.last.write(1, "x\n");
  spawner.last.end({ code: 0 });
  for (const id of ["s", "t", "u"]) {
    expect(await sink.resultOf(id)).toMatchObject({ streams: ["x\n", ""], state: "SUCCESS" });
  }
});

test("an unknown job cannot be followed", () => {
  const { follow, sink } = setUp();
  follow("s", "nobody");
  expect(sink.results[0]).toMatchObject({ id: "s", level: 20, state: "ERROR", code: 500 });
});

test("a job cannot follow itself", () => {
  const { follow, sink } = setUp();
  follow("s", "s");
  expect(sink.results[0]).toMatchObject({ id: "s", state: "ERROR", code: 500 });
});

test("jobs cannot follow each other in a circle", () => {
  const graph = new FollowGraph();
  graph.add("b", "a");
  graph.add("c", "b");
  expect(() => graph.add("a", "c")).toThrow(expect.objectContaining({ code: 500 }));
});

test("an entry that was removed no longer makes a circle", () => {
  const graph = new FollowGraph();
  graph.add("b", "a")();
  expect(() => graph.add("a", "b")).not.toThrow();
});

test("a subscriber of a queued program that cannot start ends", async () => {
  const { follow, sink, spawner, submit, program } = setUp({ queue: "q" });
  submit({ ...program, id: "next", arguments: { name: "missing" }, queue: "q" });
  follow("s", "next");
  spawner.last.end({ code: 0 });
  expect(await sink.resultOf("s")).toMatchObject({ state: "ERROR", code: 0, level: 0 });
});

test("a subscriber of a recurring job ends with its current run", async () => {
  const { clock, follow, sink, spawner } = setUp({ recurring_period: 5 });
  follow("s", "target");
  spawner.last.end({ code: 0 });
  expect(await sink.resultOf("s")).toMatchObject({ state: "SUCCESS" });
  const before = sink.textsOf("s").length;
  clock.advance(5000);
  spawner.last.write(1, "again\n");
  expect(sink.textsOf("s")).toHaveLength(before);
});

test("a subscriber survives being killed", async () => {
  const { engine, follow, sink, spawner } = setUp();
  follow("s", "target");
  expect(engine.kill("s", 9)).toBe(true);
  spawner.last.end({ code: 0 });
  expect(await sink.resultOf("s")).toMatchObject({ state: "SUCCESS" });
});
