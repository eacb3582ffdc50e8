import { expect, test } from "vitest";
import { decodeCommand } from "../../../src/job/decode.ts";
import { setUp } from "./harness.ts";

function runUnnamed(command: Record<string, unknown>) {
  const lab = setUp();
  const object = decodeCommand(JSON.stringify({ id: "made-up", arguments: {}, ...command }));
  return { ...lab, result: lab.engine.run(object, { isUnnamed: true }) };
}

test("a built-in that succeeds at once answers its caller and leaves nothing", async () => {
  const { result, sink, submit } = runUnnamed({ command: "value", arguments: 1 });
  expect(await result).toMatchObject({ id: "made-up", state: "SUCCESS", data: "1" });
  expect([sink.acceptedIds, sink.results]).toEqual([[], []]);
  submit({ id: "next", command: "nothing" });
  expect(sink.acceptedIds).toEqual(["next"]);
});

test.each([
  ["one that fails", { command: "fail" }, "ERROR"],
  ["one nobody knows", { command: "no.such" }, "UNKNOWN_CMD"],
  [
    "a program that is missing",
    { command: "core.system", arguments: { name: "missing" } },
    "ERROR",
  ],
  ["one with a stream", { command: "nothing", stream: true }, "SUCCESS"],
])("%s leaves its result", async (_, command, state) => {
  const { result, sink } = runUnnamed(command);
  expect(await result).toMatchObject({ state });
  expect(sink.acceptedIds).toEqual(["made-up"]);
  expect(sink.results).toMatchObject([{ id: "made-up", state }]);
});

test("one that takes its time is known while it runs, and leaves its result", async () => {
  const { commands, result, sink, submit } = runUnnamed({ command: "slow" });
  expect(sink.acceptedIds).toEqual(["made-up"]);
  submit({ id: "other", command: "nothing" });
  commands.promise.resolve(1);
  expect(await result).toMatchObject({ state: "SUCCESS" });
  expect(sink.results.map(({ id }) => id)).toEqual(["other", "made-up"]);
});

test("those it brings about while it runs have their names", () => {
  const { engine, heard, sink } = setUp();
  const outer = decodeCommand('{"id":"outer","command":"talk","arguments":1}');
  engine.submit('{"id":"target","command":"until-stop"}');
  let isFirst = true;
  // The first message of the outer job submits another one, as a built-in could.
  const push = heard.push.bind(heard);
  heard.push = (...messages) => {
    if (isFirst) {
      isFirst = false;
      engine.submit('{"id":"inner","command":"value","arguments":1}');
    }
    return push(...messages);
  };
  void engine.run(outer, { isUnnamed: true });
  expect(sink.acceptedIds).toEqual(["target", "inner"]);
  expect(sink.results.map(({ id }) => id)).toEqual(["inner"]);
});
