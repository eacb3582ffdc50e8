/** Number of tests by how they ended. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_TESTS: Counts = { passed: 0, failed: 0, skipped: 0 };

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * Counts a JSON report of vitest. A test file that could not be loaded has no tests to count and
 * stands for one failure.
 */
export function countReport(text: string): Counts {
  const report = JSON.parse(text) as Report;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** One line for each failed test, and for each file that failed as a whole: where, which, why. */
export function listFailures(text: string): string[] {
  const { testResults } = JSON.parse(text) as Report;
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && status !== "failed") return [];
    const place = name.slice(name.lastIndexOf("/test/") + 1);
    if (failed.length === 0) return [`${place}: ${firstLine(message)}`];
    return failed.map(
      (test) => `${place}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`,
    );
  });
}

/** Paths of the test files with a failure, as the report names them. */
export function failedFiles(text: string): string[] {
  const { testResults } = JSON.parse(text) as Report;
  return testResults.filter(({ status }) => status === "failed").map(({ name }) => name);
}

/**
 * What a second run of the failed files makes of the first: their failures are gone as far as they
 * passed then. The sums of the first run stay, so that no test is counted twice.
 */
export function secondRunCounts(first: Counts, second: Counts): Counts {
  const mended = Math.max(0, first.failed - second.failed);
  return { ...first, passed: first.passed + mended, failed: first.failed - mended };
}

const firstLine = (text = "no reason given"): string => text.split("\n")[0] ?? text;

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** The closing line: `12 passed, 0 failed`, and `, 1 skipped` where some were. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}
