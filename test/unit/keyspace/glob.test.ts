import { expect, test } from "vitest";
import { matchesGlob } from "../../../src/keyspace/glob.ts";

test.each([
  ["*", ""],
  ["*", "anything"],
  ["", ""],
  ["result:*:flag", "result:1:flag"],
  ["result:*", "result:1:flag"],
  ["a*b*c", "aXbYbZc"],
  ["h?llo", "hello"],
  ["h[ae]llo", "hallo"],
  ["h[^e]llo", "hallo"],
  ["h[a-c]llo", "hbllo"],
  ["h[c-a]llo", "hbllo"],
  ["\\*", "*"],
  ["[\\]]", "]"],
  ["[a", "a"],
  ["a\\", "a\\"],
])("%j matches %j", (pattern, text) => {
  expect(matchesGlob(pattern, text)).toBe(true);
});

test.each([
  ["", "a"],
  ["a", ""],
  ["?", ""],
  ["result:*:flag", "result:1"],
  ["h[ae]llo", "hillo"],
  ["h[^e]llo", "hello"],
  ["h[a-c]llo", "hdllo"],
  ["\\*", "a"],
  ["[]a", "a"],
  ["abc", "abcd"],
])("%j does not match %j", (pattern, text) => {
  expect(matchesGlob(pattern, text)).toBe(false);
});

test("a pattern of many stars ends in acceptable time", () => {
  expect(matchesGlob(`${"a*".repeat(200)}b`, "a".repeat(2000))).toBe(false);
});
