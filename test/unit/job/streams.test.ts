import { expect, test } from "vitest";
import { setUp } from "./harness.ts";

test("a program's messages carry the stream bit and end with an empty one", () => {
  const { sink, startProgram } = setUp();
  const program = startProgram({ stream: true });
  program.write(1, "a\n");
  program.write(2, "b\n");
  program.end({ code: 2 });
  expect(sink.textsOf("a")).toEqual(["a\n", "b\n", ""]);
  expect(sink.metasOf("a")).toEqual([65_537, 131_073, 131_077]);
});

test("a program that succeeds ends with level 1", () => {
  const { sink, startProgram } = setUp();
  startProgram({ stream: true }).end({ code: 0 });
  expect(sink.metasOf("a")).toEqual([65_539]);
});

test("a built-in's only message is its result", () => {
  const { sink, submit } = setUp();
  submit({ command: "value", stream: true, arguments: 1 });
  expect(sink.textsOf("a")).toEqual(["1"]);
  expect(sink.metasOf("a")).toEqual([1_310_723]);
});

test("a built-in's error is its last message", () => {
  const { sink, submit } = setUp();
  submit({ command: "fail", stream: true });
  expect(sink.metasOf("a")).toEqual([20 * 65_536 + 5]);
});

test("a built-in without a result value ends with an empty message", () => {
  const { sink, submit } = setUp();
  submit({ command: "quiet", stream: true });
  expect(sink.textsOf("a")).toEqual(["notice\n", ""]);
  expect(sink.metasOf("a")).toEqual([65_537, 65_539]);
});

test("without the stream flag messages go out without the stream bit", () => {
  const { sink, startProgram } = setUp();
  startProgram().end({ code: 0 });
  expect(sink.metasOf("a")).toEqual([65_538]);
});

test("text of an unfinished line comes before the last message", () => {
  const { sink, startProgram } = setUp();
  const program = startProgram();
  program.write(1, "42");
  program.end({ code: 0 });
  expect(sink.textsOf("a")).toEqual(["42", ""]);
});

test("the last message is out before the result", () => {
  const { sink, engine, startProgram } = setUp();
  const program = startProgram();
  const seen: number[] = [];
  engine.follow("a", { jobId: "b", message: () => seen.push(sink.results.length) });
  program.end({ code: 0 });
  expect(seen).toEqual([0]);
});

test.each([
  ["an unknown command", { command: "no.such" }],
  ["a program that is missing", { command: "core.system", arguments: { name: "missing" } }],
  ["a command without arguments", { command: "core.system", arguments: null }],
])("the stream of %s ends", (_, command) => {
  const { sink, submit } = setUp();
  submit({ ...command, stream: true });
  expect(sink.textsOf("a")).toEqual([""]);
  expect(sink.metasOf("a")).toEqual([131_077]);
  expect(sink.results).toHaveLength(1);
});
