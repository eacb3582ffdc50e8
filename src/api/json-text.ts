import type { JobResult } from "../job/types.ts";
import { type Bytes, bytesOfText } from "../resp/bytes.ts";

/** Results are published and may answer their caller as well: their text is made once. */
const results = new WeakMap<JobResult, Bytes>();

export function resultBytes(result: JobResult): Bytes {
  let bytes = results.get(result);
  if (bytes === undefined) {
    bytes = bytesOfText(jsonText(result));
    results.set(result, bytes);
  }
  return bytes;
}

/**
 * JSON as the node publishes it: without the characters that could close a script element (the
 * reference escapes them, and consumers compare texts), and without lone surrogates, which UTF-8
 * cannot carry.
 * Source: wire protocol 5.
 */
export function jsonText(value: unknown): string {
  let text = JSON.stringify(value) ?? "null";
  if (text.includes("\\ud")) text = text.replaceAll(/\\(?:u[0-9a-f]{4}|.)/g, replaceSurrogate);
  return UNSAFE.test(text) ? text.replaceAll(UNSAFE_ALL, escapeChar) : text;
}

const UNSAFE = /[<>&\u2028\u2029]/;
const UNSAFE_ALL = /[<>&\u2028\u2029]/g;

function escapeChar(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON.stringify writes surrogates as escapes only where they stand alone. */
function replaceSurrogate(escaped: string): string {
  return /^\\ud[89a-f]/.test(escaped) ? "\ufffd" : escaped;
}
