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
  const split = splitInline(Buffer.from(line, "latin1"));
  expect(split?.map((word) => word.toString("latin1"))).toEqual(words);
});

test.each(['"a', "'a", '"a"b', "'a'b", 'x "', '"\\'])("refuses %j", (line) => {
  expect(splitInline(Buffer.from(line, "latin1"))).toBeUndefined();
});

test("the words are copies: the line can be overwritten, and the other way round", () => {
  const line = Buffer.from("auth secret");
  const words = splitInline(line) ?? [];
  line.fill(0);
  expect(String(words[1])).toBe("secret");
});
