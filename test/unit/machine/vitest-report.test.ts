import { expect, test } from "vitest";
import {
  addCounts,
  countReport,
  failedFiles,
  formatCounts,
  listFailures,
  secondRunCounts,
} from "../../../scripts/machine/vitest-report.ts";

const report = (changes: object): string =>
  JSON.stringify({
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults: [{ status: "passed", assertionResults: [{}] }],
    ...changes,
  });

test("counts tests by how they ended", () => {
  expect(countReport(report({}))).toEqual({ passed: 3, failed: 0, skipped: 2 });
});

test("a test file that could not be loaded is one failure", () => {
  const testResults = [{ status: "failed", assertionResults: [] }];
  expect(countReport(report({ testResults })).failed).toBe(1);
});

test("a failed test is not counted again through its file", () => {
  const testResults = [{ status: "failed", assertionResults: [{}] }];
  expect(countReport(report({ numFailedTests: 1, testResults })).failed).toBe(1);
});

test("adds levels up to one closing line", () => {
  const sum = addCounts({ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 1, skipped: 0 });
  expect(formatCounts(sum)).toBe("3 passed, 1 failed");
  expect(formatCounts({ ...sum, skipped: 4 })).toBe("3 passed, 1 failed, 4 skipped");
});

test("failures are listed with file, test and the first line of the reason", () => {
  const test = { fullName: "a server answers", status: "failed", failureMessages: ["no\nstack"] };
  const testResults = [
    { name: "/x/test/unit/a.test.ts", status: "failed", assertionResults: [test] },
    {
      name: "/x/test/unit/b.test.ts",
      status: "failed",
      message: "no such module",
      assertionResults: [],
    },
    {
      name: "/x/test/unit/c.test.ts",
      status: "passed",
      assertionResults: [{ ...test, status: "passed" }],
    },
  ];
  expect(listFailures(report({ testResults }))).toEqual([
    "test/unit/a.test.ts: a server answers: no",
    "test/unit/b.test.ts: no such module",
  ]);
});

test("the files to run again are those that failed", () => {
  const testResults = [
    { name: "/x/a.test.ts", status: "failed", assertionResults: [] },
    { name: "/x/b.test.ts", status: "passed", assertionResults: [] },
  ];
  expect(failedFiles(report({ testResults }))).toEqual(["/x/a.test.ts"]);
});

test("a second run takes away the failures it did not have, and counts no test twice", () => {
  const first = { passed: 10, failed: 2, skipped: 1 };
  const passed = { passed: 5, failed: 0, skipped: 0 };
  expect(secondRunCounts(first, passed)).toEqual({ passed: 12, failed: 0, skipped: 1 });
  expect(secondRunCounts(first, { ...passed, failed: 1 })).toEqual({
    ...first,
    passed: 11,
    failed: 1,
  });
  expect(secondRunCounts(first, { ...passed, failed: 4 })).toEqual(first);
});
