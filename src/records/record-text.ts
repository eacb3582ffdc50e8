import { formatJson } from "../job/format.ts";
import type { JobMessage } from "../job/types.ts";

/**
 * A log record as clients read it (wire protocol 8). Put together by hand: the epoch is a 64-bit
 * integer, more than a number of JavaScript holds.
 */
export function recordText({ jobId, text, level, flags, epochNs }: JobMessage): string {
  const meta = level * LEVEL_FACTOR + flags;
  const message = `{"message":${jsonText(text)},"epoch":${epochNs},"meta":${meta}}`;
  return `{"core":0,"command":${jsonText(jobId)},"message":${message}}`;
}

const LEVEL_FACTOR = 2 ** 16;

/** UTF-8 carries no lone surrogates, so none may be in the text. */
export function jsonText(text: string): string {
  return formatJson(text.isWellFormed() ? text : text.toWellFormed());
}
