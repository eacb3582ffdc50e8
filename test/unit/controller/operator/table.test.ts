import { expect, test } from "vitest";
import { formatPairs, formatTable } from "../../../../src/controller/operator/table.ts";

test("columns are as wide as their widest cell", () => {
  expect(formatTable(["id", "state"], [["abc123", "pending"]])).toBe(
    "ID      STATE\nabc123  pending\n",
  );
});

test("text of a machine cannot steer the terminal", () => {
  expect(formatPairs([["host", "a\u001b[2Jb\nc\u009bd"]])).toBe("host  a [2Jb c d\n");
});

test("pairs without a value are left out", () => {
  expect(
    formatPairs([
      ["a", ""],
      ["b", "1"],
    ]),
  ).toBe("b  1\n");
});
