import type { StreamMessage } from "../client/stream.ts";
import type { Io } from "./io.ts";

/** Levels of the wire protocol, 7.1. */
const STDOUT = 1;
const STDERR = 2;
const STATISTICS = 10;

/** For the operator, warnings, errors, debug: not part of what a program is run for. */
const DIAGNOSTIC_LEVELS = new Set([STDERR, 4, 7, 8, 9, 11]);

/** Writes the messages of a job to the descriptors they were meant for. */
export function messageWriter(io: Io): (message: StreamMessage) => Promise<void> {
  return async ({ level, text }) => {
    if (text === "" || level === STATISTICS) return;
    const output = DIAGNOSTIC_LEVELS.has(level) ? io.stderr : io.stdout;
    // Messages with a header of their own are whole lines, also where the newline was not sent.
    const isLine = level === STDOUT || level === STDERR || text.endsWith("\n");
    await output.write(isLine ? text : `${text}\n`);
  };
}
