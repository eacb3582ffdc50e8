import { expect, test } from "vitest";
import { Input } from "../../../src/cli/input.ts";
import { isWanted, levelName, readFilter } from "../../../src/cli/log-filter.ts";
import type { StreamMessage } from "../../../src/client/stream.ts";

function filter(options: Readonly<Record<string, readonly string[]>>) {
  const input = new Input();
  for (const [name, values] of Object.entries(options)) {
    for (const value of values)
      input.set({ name, value: "X", help: "", isRepeatable: true }, value);
  }
  return readFilter(input);
}

const message = (level: number, jobId = "a", text = "x"): StreamMessage => ({
  jobId,
  text,
  level,
  isLast: false,
  epochNs: 0n,
});

test("levels are names in any case or numbers; a result is five of them", () => {
  expect(filter({ level: ["stdout", "ERROR", "17"] }).levels).toEqual(new Set([1, 8, 17]));
  expect(filter({ level: ["result"] }).levels).toEqual(new Set([20, 21, 22, 23, 30]));
  expect([levelName(9), levelName(22), levelName(300)]).toEqual(["critical", "result", "300"]);
});

test.each(["", "loud", "-1", "65536", "1.5", "constructor", "__proto__"])(
  "%j is no level",
  (word) => {
    expect(() => filter({ level: [word] })).toThrow(/--level .*expected a number from 0 to 65535/);
  },
);

test("without levels everything with a text is wanted but what is for programs", () => {
  const people = filter({});
  expect([1, 9, 11, 19, 31].map((level) => isWanted(people, message(level)))).not.toContain(false);
  expect([10, 20, 30].map((level) => isWanted(people, message(level)))).not.toContain(true);
  expect(isWanted(people, message(1, "a", ""))).toBe(false);
  const all = filter({ level: ["all"] });
  expect([1, 10, 20].map((level) => isWanted(all, message(level)))).not.toContain(false);
});

test("levels and jobs are both asked for", () => {
  const some = filter({ level: ["1"], job: ["a", "b"] });
  expect(isWanted(some, message(1, "b"))).toBe(true);
  expect(isWanted(some, message(1, "c"))).toBe(false);
  expect(isWanted(some, message(2, "a"))).toBe(false);
});
