import { FLAG } from "../job/run.ts";
import type { JobMessage } from "../job/types.ts";
import { jsonText } from "./record-text.ts";
import { formatTime } from "./record-time.ts";

/**
 * A record as one line of JSON, for people and for collectors: `time`, `node` (in the remote log),
 * `core`, `job`, `level`, `end` (with the last record of a run), `message`.
 */
export function formatJsonLine(message: JobMessage, node?: string): string {
  const { epochNs, jobId, level, text, flags } = message;
  const name = node === undefined ? "" : `"node":${jsonText(node)},`;
  const end = endOf(flags);
  const last = end === undefined ? "" : `"end":"${end}",`;
  const head = `"time":"${formatTime(epochNs, 9)}",${name}"core":0,"job":${jsonText(jobId)}`;
  return `{${head},"level":${level},${last}"message":${jsonText(text)}}\n`;
}

/** How a run ended, for its last record. */
export function endOf(flags: number): "success" | "error" | undefined {
  if ((flags & FLAG.success) !== 0) return "success";
  return (flags & FLAG.error) === 0 ? undefined : "error";
}
