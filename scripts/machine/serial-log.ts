import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError, errorCode } from "../../src/base/errors.ts";

const POLL_MS = 50;
const SHOWN_LINES = 25;

/** Everything the machine wrote to its serial line so far, without carriage returns. */
export function readSerial(path: string): string {
  try {
    return readFileSync(path, "utf8").replaceAll("\r", "");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

/** Copies a file that grows to `output`, from its start until the returned function is called. */
export function followFile(path: string, output: Pick<NodeJS.WritableStream, "write">): () => void {
  let shown = 0;
  const copy = (): void => {
    const text = readFileSync(path, "utf8");
    output.write(text.slice(shown));
    shown = text.length;
  };
  copy();
  watchFile(path, { interval: POLL_MS }, copy);
  return () => unwatchFile(path, copy);
}

export interface SerialWait {
  readonly timeoutMs: number;
  /** Characters of the log to pass over, for a line that may come more than once; default 0. */
  readonly fromOffset?: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits until the serial log contains `pattern`.
 *
 * @throws AgentError `E_MACHINE_SERIAL` with the last lines seen when the time is over.
 */
export async function waitSerial(
  path: string,
  pattern: RegExp,
  { timeoutMs, fromOffset = 0, signal }: SerialWait,
): Promise<RegExpExecArray> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const text = readSerial(path).slice(fromOffset);
    const match = new RegExp(pattern.source, pattern.flags.replace("g", "")).exec(text);
    if (match !== null) return match;
    if (performance.now() > deadlineMs) throw notSeen(pattern, timeoutMs, text);
    await sleep(POLL_MS);
  }
}

function notSeen(pattern: RegExp, timeoutMs: number, text: string): AgentError {
  const tail = text.trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
  return new AgentError(
    "E_MACHINE_SERIAL",
    `Cannot find ${String(pattern)} on the serial line within ${timeoutMs} ms, last lines:\n${tail}`,
  );
}
