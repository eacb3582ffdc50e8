import { describe, expect, test } from "vitest";
import { parseCondition } from "../../../src/startup/condition.ts";

const WORDS = new Set(["debug", "zerotier", "user-input", "node0.probe"]);
const holds = (text: string): boolean => parseCondition(text)((word) => WORDS.has(word));

test.each([
  ["", true],
  ["  ", true],
  ["true", true],
  ["false", false],
  ["debug", true],
  ["quiet", false],
  ["not(debug)", false],
  ["not( quiet )", true],
  ["and(debug, zerotier)", true],
  ["and(debug, quiet)", false],
  ["or(quiet, debug)", true],
  ["or(false,false)", false],
  [" and (true, or( not(user-input) , false ) )", false],
  ["and(or(quiet, debug), not(development))", true],
  ["node0.probe", true],
  ["constructor", false],
])("%j is %j", (text, wanted) => {
  expect(holds(text)).toBe(wanted);
});

describe("what is no condition is refused with the place", () => {
  test.each([
    ["debug quiet", '"quiet" seen, expected the end'],
    ["and(debug", "the end seen, expected )"],
    ["and()", '")" seen, expected a word'],
    ["and", "the end seen, expected ("],
    ["not(a, b)", "not() of 2 conditions seen, expected one"],
    ["debug)", '")" seen, expected the end'],
    ["$(reboot)", '"$(reboot)" seen, expected a word'],
    ["not(".repeat(40), "more than 32 conditions in each other"],
    ["x".repeat(1001), "1001 characters seen, expected at most 1000"],
  ])("%j", (text, what) => {
    expect(() => parseCondition(text)).toThrow(what);
  });
});
