import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { setUp } from "./harness.ts";

/** An empty message of level 2 that says that nothing follows. */
const END_WITH_ERROR = 2 * 65_536 + 4;

const PROGRAM = { command: "core.system", arguments: { name: "echo", args: ["hi"] } };

test("a program that succeeds: members, order and values as published", () => {
  const { clock, sink, spawner, submit } = setUp();
  submit(PROGRAM);
  spawner.last.start(7);
  spawner.last.write(1, "hi\n");
  clock.advance(2);
  spawner.last.end({ code: 0 });
  expect(JSON.stringify(sink.results[0])).toBe(
    '{"id":"a","command":"core.system","data":"","streams":["hi\\n",""],"level":0,' +
      '"state":"SUCCESS","code":0,"starttime":1795168462881,"time":2,"tags":null,"container":0}',
  );
});

test("the program gets its own name first, the root directory and no input", () => {
  const { spawner, submit } = setUp();
  submit(PROGRAM);
  expect(spawner.last.request).toEqual({
    path: "/bin/echo",
    argv: ["echo", "hi"],
    dir: "/",
    env: {},
    stdin: "",
  });
});

test("exit status n is code 1000 + n", () => {
  const { sink, startProgram } = setUp();
  const program = startProgram();
  program.write(1, "out\n");
  program.write(2, "err\n");
  program.end({ code: 3 });
  expect(sink.results[0]).toMatchObject({
    data: "",
    streams: ["out\n", "err\n"],
    level: 0,
    state: "ERROR",
    code: 1003,
  });
});

test.each([9, 15])("death by signal %i is code 999", (signal) => {
  const { sink, startProgram } = setUp();
  startProgram().end({ signal });
  expect(sink.results[0]).toMatchObject({ streams: ["", ""], state: "ERROR", code: 999 });
});

test("a program that is missing is code 404 with plain text and no streams", () => {
  const { sink, submit } = setUp();
  submit({ command: "core.system", arguments: { name: "missing" } });
  expect(sink.results[0]).toMatchObject({ level: 0, state: "ERROR", code: 404 });
  expect(sink.results[0]?.data).toContain("missing");
  expect(sink.results[0]).not.toHaveProperty("streams");
  expect(sink.metasOf("a")).toEqual([END_WITH_ERROR]);
});

test("another failure to start is code 0 with plain text and no streams", () => {
  const { sink, spawner, submit } = setUp();
  submit(PROGRAM);
  spawner.last.fail(new AgentError("E_SPAWN", "Cannot run in directory /nope: ENOENT"));
  expect(sink.results[0]).toMatchObject({
    data: "Cannot run in directory /nope: ENOENT",
    level: 0,
    state: "ERROR",
    code: 0,
  });
  expect(sink.results[0]).not.toHaveProperty("streams");
  expect(sink.metasOf("a")).toEqual([END_WITH_ERROR]);
});

test("an argument with a NUL does not run", () => {
  const { sink, spawner, submit } = setUp();
  submit({ command: "core.system", arguments: { name: "echo", args: ["a\0b"] } });
  expect(spawner.processes).toEqual([]);
  expect(sink.results[0]).toMatchObject({ state: "ERROR", code: 0 });
});

test("a program without arguments object panics", () => {
  const { sink, submit } = setUp();
  submit({ command: "core.system", arguments: null });
  expect(sink.results[0]).toMatchObject({ data: "", level: 0, state: "ERROR", code: 0 });
  expect(sink.results[0]?.critical).toMatch(/^PANIC\(.+\)$/);
  expect(sink.results[0]).not.toHaveProperty("streams");
});

test("an unknown command is answered at once", () => {
  const { sink, submit } = setUp();
  submit({ id: "b", command: "no.such" });
  expect(JSON.stringify(sink.results[0])).toBe(
    '{"id":"b","command":"no.such","data":"","level":0,"state":"UNKNOWN_CMD","code":0,' +
      '"starttime":0,"time":0,"tags":null,"container":0}',
  );
  expect(sink.acceptedIds).toEqual(["b"]);
});

test("a result message of a program becomes data and level", () => {
  const { sink, startProgram } = setUp();
  const program = startProgram();
  program.write(1, '20::{"a":1}\n');
  program.end({ code: 0 });
  expect(sink.results[0]).toMatchObject({
    data: '{"a":1}\n',
    streams: ["", ""],
    level: 20,
    state: "SUCCESS",
    code: 0,
  });
});

test("a critical message becomes critical, after the streams", () => {
  const { sink, startProgram } = setUp();
  const program = startProgram();
  program.write(1, "9::oh no\n");
  program.end({ code: 0 });
  expect(JSON.stringify(sink.results[0])).toContain(
    '"data":"","streams":["",""],"critical":"oh no\\n","level":0,"state":"SUCCESS"',
  );
});

test("tags come back with the result", () => {
  const { sink, submit } = setUp();
  submit({ command: "nothing", tags: ["a", "b"] });
  expect(JSON.stringify(sink.results[0])).toContain('"tags":["a","b"],"container":0}');
});

test("a built-in is over when submit returns", () => {
  const { sink, submit } = setUp();
  submit({ command: "value", arguments: { x: [1, "<&>"] } });
  expect(sink.results[0]).toMatchObject({
    data: '{"x":[1,"\\u003c\\u0026\\u003e"]}',
    streams: ["", ""],
    level: 20,
    state: "SUCCESS",
    code: 0,
  });
});

test("a built-in that returns nothing returns null", () => {
  const { sink, submit } = setUp();
  submit({ command: "nothing" });
  expect(sink.results[0]).toMatchObject({ data: "null", level: 20, state: "SUCCESS" });
});

test("a built-in error is a JSON string of level 20 and code 500", () => {
  const { sink, submit } = setUp();
  submit({ command: "fail" });
  expect(JSON.stringify(sink.results[0])).toContain(
    '"data":"\\"bad \\\\u003cthing\\\\u003e\\"","streams":["",""],"level":20,' +
      '"state":"ERROR","code":500',
  );
});

test("a classified error carries its code and its text as it is", () => {
  const { sink, submit } = setUp();
  submit({ command: "classified" });
  expect(sink.results[0]).toMatchObject({ data: '"no such\\nthing"', code: 404, state: "ERROR" });
});

test("a value that JSON cannot hold is an error of the built-in", () => {
  const { sink, submit } = setUp();
  submit({ command: "circular" });
  expect(sink.results[0]).toMatchObject({ level: 20, state: "ERROR", code: 500 });
});

test("a built-in that returns a promise ends when it settles", async () => {
  const { commands, sink, submit } = setUp();
  submit({ command: "slow" });
  expect(sink.results).toEqual([]);
  commands.promise.resolve({ x: 1 });
  expect(await sink.resultOf("a")).toMatchObject({ data: '{"x":1}', state: "SUCCESS" });
});

test("a rejected promise is an error of the built-in", async () => {
  const { commands, sink, submit } = setUp();
  submit({ command: "slow" });
  commands.promise.reject(new Error("late"));
  expect(await sink.resultOf("a")).toMatchObject({ data: '"late"', state: "ERROR", code: 500 });
});

test("a built-in without a result value has output only", () => {
  const { sink, submit } = setUp();
  submit({ command: "quiet" });
  expect(sink.results[0]).toMatchObject({
    data: "",
    streams: ["notice\n", ""],
    level: 0,
    state: "SUCCESS",
  });
});

test("messages of a built-in are captured like those of a program", () => {
  const { sink, submit } = setUp();
  submit({ command: "talk" });
  expect(sink.results[0]).toMatchObject({
    data: "1",
    streams: ["out\n", ""],
    critical: "critical",
    level: 20,
  });
});
