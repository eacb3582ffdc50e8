import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command/command.ts";
import { runTool, type ToolOutcome } from "../sys/proc/run-tool.ts";

/** What a program of this layer may take; moving the data of a disk takes hours. */
export interface ProgramOptions {
  readonly timeoutMs?: number;
  /** Exit statuses besides 0 that are no failure. */
  readonly accepts?: (status: number) => boolean;
}

const LIMIT_MS = 30_000;
/** Time a program has to end after it was killed. */
const GRACE_MS = 1000;

/** Programs that did not even end when they were killed, until they do. */
const stuck = new Set<string>();

/**
 * Runs a program that may touch a disk. One that waits for a disk that is gone does not end when it is
 * killed: then this gives up all the same, and does not start another one like it meanwhile.
 *
 * @returns The outcome, with status null after the time limit.
 */
export async function tryProgram(
  name: string,
  args: readonly string[],
  timeoutMs = LIMIT_MS,
): Promise<ToolOutcome> {
  const line = [name, ...args].join("\0");
  if (stuck.has(line)) return gaveUp("the same call still waits for its disk");
  const timer = new AbortController();
  const outcome = runTool(name, args, { timeoutMs }).finally(() => {
    stuck.delete(line);
    timer.abort();
  });
  const late = sleep(timeoutMs + GRACE_MS, undefined, { signal: timer.signal, ref: false }).then(
    () => {
      stuck.add(line);
      return gaveUp(`no end after ${timeoutMs} ms`);
    },
    // The program has ended; its outcome is the other promise.
    () => outcome,
  );
  return Promise.race([outcome, late]);
}

/**
 * Runs a program on behalf of a command. Its failure becomes that of the command (wire protocol 5.2).
 *
 * @throws CommandError 1000 + exit status, 999 after a signal (the time limit included), 404 when the
 *   program is not installed; message `(ERROR): [<stdout> <stderr>]`.
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  { timeoutMs = LIMIT_MS, accepts = () => false }: ProgramOptions = {},
): Promise<ToolOutcome> {
  const outcome = await tryProgram(name, args, timeoutMs);
  const { status, isMissing, stdout, stderr } = outcome;
  if (status === 0 || (status !== null && accepts(status))) return outcome;
  throw new CommandError(codeOf(status, isMissing), `(ERROR): [${stdout} ${stderr}]`);
}

/** Result code of a program that failed. */
export function codeOf(status: number | null, isMissing: boolean): number {
  if (isMissing) return 404;
  return status === null ? 999 : 1000 + status;
}

function gaveUp(reason: string): ToolOutcome {
  return { status: null, isMissing: false, stdout: "", stderr: reason };
}
