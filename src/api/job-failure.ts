import type { JobResult } from "../job/types.ts";

/**
 * The error a failed job answers a direct command with:
 * `JOBERR <code> <state> <command> <id>: <why>`, one line.
 */
export function jobFailureText(result: JobResult): string {
  const { code, state, command, id } = result;
  return `JOBERR ${code} ${state} ${command} ${id}: ${reasonOf(result)}`;
}

const MAX_REASON_UNITS = 500;
/** Level of a result that is JSON text (wire protocol 7.1). */
const JSON_LEVEL = 20;

/** The end of what the job said last: data, then the critical message, then standard error. */
function reasonOf({ data, critical, streams, level }: JobResult): string {
  const said = (level === JSON_LEVEL ? decodeData(data) : data) || critical || streams?.[1] || "";
  return said
    .trim()
    .slice(-MAX_REASON_UNITS)
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .toWellFormed();
}

function decodeData(data: string): string {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "string" ? value : data;
  } catch {
    // Not JSON after all: a program may print anything at this level.
    return data;
  }
}
