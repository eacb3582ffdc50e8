import { constants } from "node:os";

/**
 * The number of a signal given as `TERM`, `sigterm` or `15`; undefined when there is none.
 * Numbers are Linux's, as the node's are.
 */
export function parseSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= 64 ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^(SIG)?/, "SIG");
  return (constants.signals as Readonly<Record<string, number>>)[name];
}

/** Names for help and completion, without `SIG`. */
export const COMMON_SIGNALS = [
  "TERM",
  "KILL",
  "INT",
  "HUP",
  "QUIT",
  "USR1",
  "USR2",
  "STOP",
  "CONT",
];
