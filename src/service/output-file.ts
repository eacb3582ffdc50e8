import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import type { Clock } from "../base/clock.ts";
import type { Files } from "../sys/files.ts";
import type { OutputFollower, OutputReader } from "./host.ts";

/** Beyond this a file is emptied; its end is kept beside it as `<file>.old`. */
export const OUTPUT_CAP_BYTES = 256 * 1024;
/** Read at once; a daemon that prints faster than this per look loses the middle. */
const CHUNK_BYTES = 64 * 1024;
const LOOK_DELAY_MS = 200;

/**
 * Follows the file a daemon prints to. It is a file and not a pipe: a pipe ends with the agent and the
 * next line would kill the daemon; a named pipe stops the daemon when it is full and nobody reads.
 */
export function followOutput(options: {
  path: string;
  reader: OutputReader;
  files: Files;
  clock: Clock;
}): OutputFollower {
  const { path, reader, files, clock } = options;
  writeFileSync(path, "", { flag: "a", mode: 0o600 });
  let offset = statSync(path).size;
  let cancelLook: (() => void) | undefined;
  const forgetLook = (): void => {
    cancelLook?.();
    cancelLook = undefined;
  };
  const look = (): void => {
    forgetLook();
    try {
      offset = readFrom(path, offset, reader);
    } catch {
      // The file was removed by hand: a daemon without a log is still a daemon.
    }
  };
  const stopWatching = files.watch(path, () => {
    cancelLook ??= clock.after(LOOK_DELAY_MS, look);
  });
  return {
    look,
    stop: () => {
      stopWatching();
      forgetLook();
    },
  };
}

/** @returns Where the next read begins. */
function readFrom(path: string, offset: number, reader: OutputReader): number {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const begin = size < offset ? 0 : offset;
    if (size === begin) return size;
    const from = Math.max(begin, size - CHUNK_BYTES);
    const chunk = Buffer.allocUnsafe(size - from);
    const text = chunk.toString("utf8", 0, readSync(file, chunk, 0, chunk.length, from));
    const isFull = size > OUTPUT_CAP_BYTES;
    if (isFull) {
      writeFileSync(`${path}.old`, text, { mode: 0o600 });
      // In place: the daemon holds the file open, and appends wherever its end is.
      truncateSync(path, 0);
    }
    reader.push(text);
    return isFull ? 0 : size;
  } finally {
    closeSync(file);
  }
}
