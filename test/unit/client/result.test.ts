import { expect, test } from "vitest";
import { failureText, parseResult, resultValue } from "../../../src/client/result.ts";
import { buildSubmission } from "../../../src/client/submission.ts";
import type { JobResult } from "../../../src/job/types.ts";

const base: JobResult = {
  id: "a",
  command: "core.ping",
  data: "",
  level: 0,
  state: "SUCCESS",
  code: 0,
  starttime: 0,
  time: 0,
  tags: null,
  container: 0,
};

test("decodes the value of a level 20 result a second time", () => {
  expect(resultValue({ ...base, level: 20, data: '{"a":1}' })).toEqual({ a: 1 });
});

test("throws a job error for a job that failed, with the node's own words", () => {
  const failed: JobResult = {
    ...base,
    level: 20,
    state: "ERROR",
    code: 500,
    data: '"bad \\u003cx\\u003e"',
  };

  expect(() => resultValue(failed)).toThrow(
    expect.objectContaining({ jobCode: 500, message: expect.stringContaining("bad <x>") }),
  );
});

test("refuses the value of a result that has none", () => {
  expect(() => resultValue(base)).toThrow(expect.objectContaining({ code: "E_REPLY" }));
});

test.each(["", "null", "7", "{}", '{"state":1,"data":""}'])("refuses %j as a result", (text) => {
  expect(() => parseResult(text)).toThrow(expect.objectContaining({ code: "E_REPLY" }));
});

test.each<[string, Partial<JobResult>, string]>([
  ["plain data", { data: "no such program\n" }, "no such program"],
  ["a crash", { critical: "PANIC(x)" }, "PANIC(x)"],
  ["the last line of standard error", { streams: ["", "a\nb\n"] }, "b"],
  ["an unknown command", { state: "UNKNOWN_CMD" }, "the node does not know this command"],
  ["an object instead of a text", { level: 20, data: '{"a":1}' }, '{"a":1}'],
])("explains a failure by %s", (_name, part, text) => {
  expect(failureText({ ...base, state: "ERROR", ...part })).toBe(text);
});

test("submits seconds and lists under the names of the wire protocol", () => {
  const text = buildSubmission("bash", { script: "x" }, { id: "a", maxTimeS: 3, tags: ["t"] });

  expect(JSON.parse(text)).toEqual({
    id: "a",
    command: "bash",
    arguments: { script: "x" },
    queue: "",
    max_time: 3,
    max_restart: 0,
    recurring_period: 0,
    stream: false,
    tags: ["t"],
  });
});
