import { expect, test } from "vitest";
import { exitCodeOf, exitCodeOfSignal } from "../../../src/cli/exit-code.ts";
import { parseSignal } from "../../../src/cli/signal-names.ts";
import type { JobState } from "../../../src/job/types.ts";

test.each<[string, JobState, number, number, number]>([
  ["success", "SUCCESS", 0, 0, 0],
  ["success with a value", "SUCCESS", 0, 20, 0],
  ["exit status 1", "ERROR", 1001, 0, 1],
  ["exit status 255", "ERROR", 1255, 0, 255],
  ["a signal", "ERROR", 999, 0, 137],
  ["the time limit", "TIMEOUT", 999, 0, 124],
  ["a missing program", "ERROR", 404, 0, 127],
  ["a program that cannot start", "ERROR", 0, 0, 126],
  ["an unknown command", "UNKNOWN_CMD", 0, 0, 127],
  ["something a built-in did not find", "ERROR", 404, 20, 1],
  ["a built-in's error", "ERROR", 500, 20, 1],
  ["a helper program of a built-in", "ERROR", 1003, 20, 3],
  ["a container's first process", "ERROR", 4294967295, 0, 1],
])("maps %s to an exit code", (_name, state, code, level, exitCode) => {
  expect(exitCodeOf({ state, code, level })).toBe(exitCode);
});

test("ends with 130 after Ctrl-C", () => {
  expect(exitCodeOfSignal(2)).toBe(130);
});

test.each([
  ["9", 9],
  ["KILL", 9],
  ["sigkill", 9],
  ["SIGTERM", 15],
  ["64", 64],
])("reads the signal %s", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each(["0", "65", "-9", "", "SIG", "NOPE", "9x"])("refuses the signal %j", (text) => {
  expect(parseSignal(text)).toBeUndefined();
});
