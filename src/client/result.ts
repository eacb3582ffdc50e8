import { AgentError } from "../base/errors.ts";
import type { JobResult } from "../job/types.ts";
import { JobError } from "./errors.ts";

/** Level of a result that is JSON text (wire protocol 7.1). */
const JSON_LEVEL = 20;

/**
 * Decodes a published result object.
 *
 * @throws AgentError `E_REPLY` when the text is not one.
 */
export function parseResult(text: unknown): JobResult {
  try {
    const result = JSON.parse(String(text)) as JobResult | null;
    if (typeof result?.state === "string" && typeof result.data === "string") return result;
  } catch {
    // Reported below: text that is not JSON and JSON of another shape are the same fault.
  }
  const shown = String(text).slice(0, 80);
  throw new AgentError(
    "E_REPLY",
    `Cannot read a job result: ${shown} seen, expected a result object`,
  );
}

/**
 * The value a command returned.
 *
 * @throws JobError when the job did not succeed.
 * @throws AgentError `E_REPLY` when it returned no JSON value.
 */
export function resultValue(result: JobResult): unknown {
  if (result.state !== "SUCCESS") throw new JobError(result, failureText(result));
  if (!isJsonResult(result)) {
    throw new AgentError(
      "E_REPLY",
      `Cannot take the value of ${result.command}: level ${result.level} seen, expected ${JSON_LEVEL}`,
    );
  }
  return JSON.parse(result.data);
}

/** True when `data` is JSON text. */
export function isJsonResult(result: Pick<JobResult, "level">): boolean {
  return result.level === JSON_LEVEL;
}

/** Why a job failed, in the node's own words; empty when it gave none. */
export function failureText(result: JobResult): string {
  if (result.state === "UNKNOWN_CMD") return "the node does not know this command";
  if (isJsonResult(result)) return decodeText(result.data);
  const text = result.data || result.critical || lastLine(result.streams?.[1] ?? "");
  return text.trim();
}

function decodeText(data: string): string {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "string" ? value.trim() : data;
  } catch {
    return data;
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
