import { expect, test } from "vitest";
import { buildExtension, formatText } from "../../../src/job/extension.ts";

const EXTENSION = { binary: "tool", args: ["-a", "{a}", "x{b}y{a}"], cwd: "/srv", env: { E: "1" } };

test("placeholders are replaced by the arguments of their names", () => {
  expect(buildExtension(EXTENSION, { a: "1 2", b: true })).toEqual({
    name: "tool",
    args: ["-a", "1 2", "xtruey1 2"],
    dir: "/srv",
    env: { E: "1" },
    stdin: "",
    showPid: false,
  });
});

test("a placeholder without an argument stays as it is", () => {
  expect(buildExtension(EXTENSION, {}).args).toEqual(["-a", "{a}", "x{b}y{a}"]);
});

test("what was put in is not substituted again", () => {
  expect(buildExtension(EXTENSION, { a: "{b}", b: "$&" }).args).toEqual(["-a", "{b}", "x$&y{b}"]);
});

test("members of the prototype are no arguments", () => {
  expect(buildExtension({ ...EXTENSION, args: ["{toString}"] }, {}).args).toEqual(["{toString}"]);
});

test("standard input is taken as it is", () => {
  expect(buildExtension(EXTENSION, { a: "1", stdin: "{a}" }).stdin).toBe("{a}");
});

test.each([
  ["text", "text"],
  [1, "1"],
  [0, "0"],
  [1.5, "1.5"],
  [-2.25, "-2.25"],
  [999_999, "999999"],
  [1_000_000, "1e+06"],
  [123_456_789, "1.23456789e+08"],
  [1e100, "1e+100"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [true, "true"],
  [false, "false"],
  [null, "<nil>"],
  [[1, "a", null], "[1 a <nil>]"],
  [{ k: "v" }, "map[k:v]"],
  [{ z: 1, a: [2] }, "map[a:[2] z:1]"],
])("the text form of %j is %s", (value, text) => {
  expect(formatText(value)).toBe(text);
});
