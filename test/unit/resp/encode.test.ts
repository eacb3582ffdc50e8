import { describe, expect, test } from "vitest";
import * as encode from "../../../src/resp/encode.ts";
import { encodeValue, type ReplyValue } from "../../../src/resp/encode-value.ts";
import { readReplies } from "../../fakes/reply-reader.ts";

describe("exact bytes in RESP2 and RESP3", () => {
  test.each([
    ["nil", encode.nil, "$-1\r\n", "_\r\n"],
    ["nil array", encode.nilArray, "*-1\r\n", "_\r\n"],
    ["true", (p) => encode.boolean(true, p), ":1\r\n", "#t\r\n"],
    ["false", (p) => encode.boolean(false, p), ":0\r\n", "#f\r\n"],
    ["double", (p) => encode.double(1.5, p), "$3\r\n1.5\r\n", ",1.5\r\n"],
    ["infinity", (p) => encode.double(-1 / 0, p), "$4\r\n-inf\r\n", ",-inf\r\n"],
    ["not a number", (p) => encode.double(Number.NaN, p), "$3\r\nnan\r\n", ",nan\r\n"],
    [
      "big number",
      (p) => encode.bigNumber(2n ** 70n, p),
      "$22\r\n1180591620717411303424\r\n",
      "(1180591620717411303424\r\n",
    ],
    ["verbatim", (p) => encode.verbatim("ab", p), "$2\r\nab\r\n", "=6\r\ntxt:ab\r\n"],
    [
      "map",
      (p) => encode.map([[":1\r\n", ":2\r\n"]], p),
      "*2\r\n:1\r\n:2\r\n",
      "%1\r\n:1\r\n:2\r\n",
    ],
    ["set", (p) => encode.set([":1\r\n"], p), "*1\r\n:1\r\n", "~1\r\n:1\r\n"],
    ["push", (p) => encode.push([":1\r\n"], p), "*1\r\n:1\r\n", ">1\r\n:1\r\n"],
  ] as [string, (protocol: encode.Protocol) => string, string, string][])(
    "%s",
    (_, encoded, resp2, resp3) => {
      expect(encoded(2)).toBe(resp2);
      expect(encoded(3)).toBe(resp3);
    },
  );

  test("an error never holds a line end", () => {
    expect(encode.failure("ERR a\r\nb\n+OK")).toBe("-ERR a b +OK\r\n");
  });

  test("a 64-bit integer is an integer, a larger one a big number", () => {
    expect(encodeValue(1_795_168_494_659_594_248n, 3)).toBe(":1795168494659594248\r\n");
    expect(encodeValue(2n ** 64n, 3)).toBe("(18446744073709551616\r\n");
  });
});

test("an independent parser reads back what was encoded for RESP2", () => {
  const value: ReplyValue = [
    "text",
    "é",
    "",
    0,
    -5,
    null,
    [],
    ["nested", [["deep"]]],
    new Map<string, ReplyValue>([["key", [1]]]),
    new Set(["member"]),
    true,
    2.5,
  ];
  const [reply] = readReplies(encodeValue(value, 2));
  expect(reply).toEqual([
    "text",
    "é",
    "",
    0,
    -5,
    null,
    [],
    ["nested", [["deep"]]],
    ["key", [1]],
    ["member"],
    1,
    "2.5",
  ]);
});

test("simple strings, errors, integers and bulks come back too", () => {
  const bytes =
    encode.OK +
    encode.integer(7) +
    encode.bulk("a\r\nb") +
    encode.bulks(["x", ""]) +
    encode.failure("ERR no");
  const [ok, seven, text, list, error] = readReplies(bytes);
  expect([ok, seven, text, list]).toEqual(["OK", 7, "a\r\nb", ["x", ""]]);
  expect((error as Error).message).toBe("ERR no");
});
