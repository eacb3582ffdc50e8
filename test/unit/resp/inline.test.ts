import { expect, test } from "vitest";
import { splitInline } from "../../../src/resp/inline.ts";

test.each([
  ["", []],
  ["  a\tb  ", ["a", "b"]],
  ['""', [""]],
  ["''", [""]],
  ['"a b"', ["a b"]],
  ['k"a b"', ["ka b"]],
  ['"\\n\\r\\t\\b\\a\\\\\\"\\z"', ['\n\r\t\b\x07\\"z']],
  ['"\\xfF\\x0"', ["\xffx0"]],
  ["'\\n'", ["\\n"]],
  ["'it\\'s'", ["it's"]],
])("splits %j", (line, words) => {
  expect(splitInline(line)).toEqual(words);
});

test.each(['"a', "'a", '"a"b', "'a'b", 'x "', '"\\'])("refuses %j", (line) => {
  expect(splitInline(line)).toBeUndefined();
});
