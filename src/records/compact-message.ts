import type { JobMessage } from "../job/types.ts";

/** V8 copies parts of strings shorter than this by itself. */
const SHORTEST_PART = 13;
/** Longer parts pin a chunk of output that is not many times their size. */
const LONGEST_COPY = 2048;
/** Levels from here on are results: their texts are not parts of anything. */
const FIRST_RESULT_LEVEL = 20;

/**
 * A message fit to be kept. Its text is often a part of a chunk of output, and V8 keeps the whole
 * chunk for it: a thousand short lines could hold a thousand chunks. So short texts are copied.
 */
export function compactMessage(message: JobMessage): JobMessage {
  const { text, level } = message;
  const { length } = text;
  if (length < SHORTEST_PART || length >= LONGEST_COPY || level >= FIRST_RESULT_LEVEL) {
    return message;
  }
  return { ...message, text: Buffer.from(text, "utf8").toString("utf8") };
}
