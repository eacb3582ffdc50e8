import { expect, test } from "vitest";
import { readWords } from "../../../../src/controller/operator/words.ts";

test("a controller is named by its directory or by its three parts", () => {
  expect(readWords(["nodes", "--dir", "/d"])?.target).toStrictEqual({ dir: "/d" });
  const parts = ["--url", "https://c", "--ca", "/ca", "--token-file", "/t"];
  expect(readWords(["nodes", ...parts])?.target).toStrictEqual({
    ...{ url: "https://c", caFile: "/ca", tokenFile: "/t" },
  });
});

test.each([
  ["nothing that names a controller", []],
  ["a part missing", ["--url", "https://c", "--ca", "/ca"]],
  ["a directory and a part", ["--dir", "/d", "--url", "https://c"]],
  ["an unknown option", ["--dir", "/d", "--frobnicate"]],
  ["an option without its value", ["--dir"]],
  ["an unknown format", ["--dir", "/d", "-o", "xml"]],
  ["a number that is none", ["--dir", "/d", "--after", "-1"]],
])("%s is wrong use", (_what, words) => {
  expect(() => readWords(words)).toThrow(expect.objectContaining({ code: "E_USAGE" }));
});

test("operands and options may be mixed", () => {
  const words = readWords(["nodes", "--dir", "/d", "approve", "-o", "json", "abc", "--note", "n"]);
  expect(words).toMatchObject({ operands: ["nodes", "approve", "abc"], isJson: true, note: "n" });
});
