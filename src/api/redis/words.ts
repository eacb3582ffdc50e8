import { AgentError } from "../../base/errors.ts";
import type { Bytes } from "../../resp/bytes.ts";

/** An error a command answers with; `text` starts with the code word clients look at. */
export const refusal = (text: string): AgentError => new AgentError("E_REQUEST", text);

export const syntaxError = (): AgentError => refusal("ERR syntax error");

/** The word at `index`; the arity of the command promised that it is there. */
export const word = (words: readonly Bytes[], index: number): Bytes => words[index] as Bytes;

/** A 64-bit integer in plain notation; those beyond 2^53 lose their last digits. */
export function parseInteger(bytes: Bytes): number {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(bytes) || !isInt64(bytes)) {
    throw refusal("ERR value is not an integer or out of range");
  }
  return Number(bytes);
}

function isInt64(bytes: Bytes): boolean {
  return bytes.length < 19 || BigInt.asIntN(64, BigInt(bytes)) === BigInt(bytes);
}

/** Seconds with an optional fraction, as blocking commands take them. @returns Milliseconds. */
export function parseTimeoutMs(bytes: Bytes): number {
  const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(bytes);
  const seconds = isNumber ? Number(bytes) : Number.NaN;
  if (!Number.isFinite(seconds) || seconds > MAX_TIMEOUT_S) {
    throw refusal("ERR timeout is not a float or out of range");
  }
  if (seconds < 0) throw refusal("ERR timeout is negative");
  return Math.ceil(seconds * 1000);
}

/** A time to live in whole seconds or milliseconds. @returns Milliseconds. */
export function parseTtlMs(bytes: Bytes, unitMs: 1 | 1000, command: string): number {
  const ttlMs = parseInteger(bytes) * unitMs;
  if (Math.abs(ttlMs) > Number.MAX_SAFE_INTEGER) {
    throw refusal(`ERR invalid expire time in '${command}' command`);
  }
  return ttlMs;
}

const MAX_TIMEOUT_S = Number.MAX_SAFE_INTEGER / 1000;
