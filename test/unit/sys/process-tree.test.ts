import { expect, test } from "vitest";
import { parseGroup } from "../../../src/sys/process-tree.ts";

test("the group is the third field after the name", () => {
  expect(parseGroup("42 (sh) S 1 40 39 0 -1 4194560 1 2 3")).toBe(40);
});

test("a name may hold blanks and brackets", () => {
  expect(parseGroup("42 (a) 1 (b) 2) S 1 40 39 0 -1")).toBe(40);
});

test("another text has no group", () => {
  expect(parseGroup("")).toBeNaN();
});
