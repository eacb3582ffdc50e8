import type { StreamMessage } from "../client/stream.ts";
import type { Input } from "./input.ts";
import { UsageError } from "./usage-error.ts";

/** Names of the levels of wire protocol 7.1. */
const LEVELS: Readonly<Record<string, readonly number[]>> = {
  stdout: [1],
  stderr: [2],
  public: [3],
  operator: [4],
  log: [5],
  record: [6],
  warning: [7],
  error: [8],
  critical: [9],
  statistics: [10],
  debug: [11],
  result: [20, 21, 22, 23, 30],
};

const ALL = "all";
const MAX_LEVEL = 65_535;
const DEFAULT_LINES = 100;

/** Which records a person wants to see. */
export interface LogFilter {
  readonly isFollowing: boolean;
  readonly lines: number;
  /** Empty: what people write for people, {@link isForPeople}. Null: all. */
  readonly levels: ReadonlySet<number> | null;
  /** Empty: all. */
  readonly jobs: ReadonlySet<string>;
}

/** @throws UsageError naming the levels there are. */
export function readFilter(input: Input): LogFilter {
  return {
    isFollowing: input.flag("follow"),
    lines: input.number("lines") ?? DEFAULT_LINES,
    levels: input.list("level").includes(ALL)
      ? null
      : new Set(input.list("level").flatMap(parseLevel)),
    jobs: new Set(input.list("job")),
  };
}

function parseLevel(word: string): readonly number[] {
  const named = Object.hasOwn(LEVELS, word.toLowerCase()) ? LEVELS[word.toLowerCase()] : undefined;
  if (named !== undefined) return named;
  if (/^\d{1,5}$/.test(word) && Number(word) <= MAX_LEVEL) return [Number(word)];
  const names = Object.keys(LEVELS).join(", ");
  throw new UsageError(
    `Cannot use --level "${word}": expected a number from 0 to ${MAX_LEVEL} or one of ${names}, ${ALL}`,
    "logs",
  );
}

/** The end of a run is a message without text: it says nothing to a person. */
export function isWanted({ levels, jobs }: LogFilter, message: StreamMessage): boolean {
  if (message.text === "") return false;
  if (levels?.size === 0 && !isForPeople(message.level)) return false;
  if (levels !== null && levels.size > 0 && !levels.has(message.level)) return false;
  return jobs.size === 0 || jobs.has(message.jobId);
}

/** Statistics and results are for programs: each command of a client would be seen with its whole answer. */
const isForPeople = (level: number): boolean => level !== 10 && (level < 20 || level > 30);

/** The name of a level, or its number. */
export function levelName(level: number): string {
  const found = Object.entries(LEVELS).find(([, numbers]) => numbers.includes(level));
  return found?.[0] ?? String(level);
}
