import type { JobResult } from "../client/client.ts";

/** Exit codes of the tool itself. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** The node stopped the job at its time limit; the value `timeout(1)` uses. */
  timeLimit: 124,
  /** The program was found and could not be started; the value of a shell. */
  notStarted: 126,
  /** No such program or command; the value of a shell. */
  notFound: 127,
} as const;

/** Result code of a job that died by a signal, and the base of exit statuses (wire protocol 5.2). */
const KILLED_CODE = 999;
const STATUS_BASE = 1000;

/** The result does not say which signal ended a job: 9 is what nobody can choose not to die of. */
const SIGKILL = 9;
const SIGNAL_BASE = 128;

/** The exit code that tells a shell how a job ended. */
export function exitCodeOf(result: Pick<JobResult, "state" | "code" | "level">): number {
  const { state, code } = result;
  if (state === "SUCCESS") return EXIT.ok;
  if (state === "TIMEOUT") return EXIT.timeLimit;
  if (state === "UNKNOWN_CMD") return EXIT.notFound;
  if (code === KILLED_CODE) return SIGNAL_BASE + SIGKILL;
  if (code > STATUS_BASE && code < STATUS_BASE + 256) return code - STATUS_BASE;
  // Built-ins use 404 as well, for things they did not find; those carry a level 20 text.
  if (code === 404 && result.level === 0) return EXIT.notFound;
  if (code === 0) return EXIT.notStarted;
  return EXIT.failure;
}

/** The exit code of a tool that a signal ended. */
export function exitCodeOfSignal(signalNumber: number): number {
  return SIGNAL_BASE + signalNumber;
}
