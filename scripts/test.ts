import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addCounts,
  type Counts,
  countReport,
  failedFiles,
  formatCounts,
  listFailures,
  NO_TESTS,
  secondRunCounts,
} from "./machine/vitest-report.ts";

const ROOT = join(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");
const TEST_LEVELS = ["unit", "integration", "fuzz", "e2e"] as const;
const LEVELS = ["lint", "types", ...TEST_LEVELS] as const;
/** Runs when it is named: integration, fuzz and e2e, with the tests that have a short form in full. */
const LONG = "long";
type Level = (typeof LEVELS)[number];
type TestLevel = (typeof TEST_LEVELS)[number];

const USAGE = `Usage: scripts/test [LEVEL]... [-- VITEST ARGUMENTS]

Levels, all of them by default: ${LEVELS.join(", ")}.
${LONG}: integration, fuzz and e2e, with the tests that have a short form in full.
The last line counts the tests; a failed lint or type check counts as one failure.`;

interface Outcome {
  readonly level: Level;
  readonly counts: Counts;
  readonly isPassed: boolean;
  readonly seconds: number;
  /** One line each, for the end of the run: what failed first is far up by then. */
  readonly failures: readonly string[];
  /** Failures that were gone at a second run. */
  readonly flaky?: readonly string[];
}

function runLevel(level: Level, more: readonly string[]): Outcome {
  console.log(`\n== ${level}`);
  const startMs = performance.now();
  const result = CHECKS[level](more);
  return { ...result, level, seconds: (performance.now() - startMs) / 1000 };
}

type Check = (
  more: readonly string[],
) => Pick<Outcome, "counts" | "isPassed" | "failures" | "flaky">;

const CHECKS: Readonly<Record<Level, Check>> = {
  lint: () => checkWith("biome", ["check", "--error-on-warnings", "."]),
  types: () => checkWith("tsc", ["--noEmit"]),
  unit: (more) => runTests("unit", more),
  integration: (more) => runTests("integration", more),
  fuzz: (more) => runTests("fuzz", more),
  e2e: (more) => runTests("e2e", more),
};

function checkWith(tool: string, args: readonly string[]): ReturnType<Check> {
  const isPassed = run(tool, args) === 0;
  const failures = isPassed ? [] : [`${tool} ${args.join(" ")}`];
  return { isPassed, failures, counts: { ...NO_TESTS, failed: isPassed ? 0 : 1 } };
}

/** Files that may fail and pass at a second run, beyond which the failures are not chance. */
const MAX_SECOND_RUNS = 2;

/**
 * Runs the tests of one level. Where real machines and networks are tested, one or two failed files
 * run a second time: a host that stalls for seconds breaks such tests, and what is said then is that
 * they are flaky, not that they passed.
 */
function runTests(project: TestLevel, more: readonly string[]): ReturnType<Check> {
  const first = runVitest(project, more);
  const { files } = first;
  if (first.isPassed || !RUN_TWICE.has(project)) return first;
  if (files.length === 0 || files.length > MAX_SECOND_RUNS || more.length > 0) return first;
  console.log(`\n== ${project}: second run of ${files.length} failed files`);
  const second = runVitest(project, files);
  return {
    isPassed: second.isPassed,
    counts: secondRunCounts(first.counts, second.counts),
    failures: second.failures,
    flaky: second.isPassed ? first.failures : [],
  };
}

const RUN_TWICE: ReadonlySet<TestLevel> = new Set<TestLevel>(["integration", "e2e"]);

/** A run that ends badly without a failed test (an error outside of tests, a crash) is one failure. */
function runVitest(
  project: TestLevel,
  more: readonly string[],
): ReturnType<Check> & { readonly files: readonly string[] } {
  const directory = mkdtempSync(join(tmpdir(), "node0-test-"));
  try {
    const report = join(directory, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const status = run("vitest", ["run", "--project", project, ...reporters, ...more]);
    const { counts, failures, files } = readReport(report);
    const isPassed = status === 0 && counts.failed === 0;
    if (isPassed || counts.failed > 0) return { isPassed, counts, failures, files };
    return {
      isPassed,
      counts: { ...counts, failed: 1 },
      failures: [`vitest ended with ${status}`],
      files: [],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readReport(report: string): {
  counts: Counts;
  failures: readonly string[];
  files: readonly string[];
} {
  try {
    const text = readFileSync(report, "utf8");
    return { counts: countReport(text), failures: listFailures(text), files: failedFiles(text) };
  } catch {
    // No report: vitest did not come that far, and its status says so.
    return { counts: NO_TESTS, failures: [], files: [] };
  }
}

/** Runs a tool of the project with the Node.js of the lock file first on the path. */
function run(tool: string, args: readonly string[]): number {
  const { status, error } = spawnSync(join(BIN, tool), args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, PATH: `${BIN}:${process.env["PATH"] ?? ""}` },
  });
  if (error !== undefined) console.error(`test: cannot run ${tool}: ${error.message}`);
  return status ?? 1;
}

function main(argv: readonly string[]): number {
  const split = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const given = argv.slice(0, split);
  if (given.includes(LONG)) process.env["NODE0_TEST_LONG"] = "1";
  const names = given.flatMap((name) => (name === LONG ? ["integration", "fuzz", "e2e"] : [name]));
  const unknown = names.filter((name) => !(LEVELS as readonly string[]).includes(name));
  if (unknown.length > 0) {
    const isHelp = unknown.includes("--help");
    (isHelp ? console.log : console.error)(USAGE);
    return isHelp ? 0 : 2;
  }
  const levels = LEVELS.filter((level) => names.length === 0 || names.includes(level));
  const outcomes = levels.map((level) => runLevel(level, argv.slice(split + 1)));
  console.log("");
  for (const { level, isPassed, seconds, counts } of outcomes) {
    const verdict = isPassed ? "passed" : "FAILED";
    console.log(
      `${level.padEnd(12)} ${verdict} ${seconds.toFixed(1).padStart(7)} s  ${countsOf(counts)}`,
    );
  }
  for (const { level, failures, flaky = [] } of outcomes) {
    for (const failure of failures) console.log(`FAILED ${level} ${failure}`);
    for (const failure of flaky) console.log(`FLAKY ${level} ${failure}`);
  }
  console.log("");
  console.log(formatCounts(outcomes.map(({ counts }) => counts).reduce(addCounts, NO_TESTS)));
  return outcomes.every(({ isPassed }) => isPassed) ? 0 : 1;
}

function countsOf(counts: Counts): string {
  return counts.passed + counts.failed + counts.skipped === 0 ? "" : formatCounts(counts);
}

process.exitCode = main(process.argv.slice(2));
