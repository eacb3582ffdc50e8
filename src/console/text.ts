import type { PhaseStatus } from "../sequencer/types.ts";

/**
 * One line of the serial log: `[  3.412] network  done     eth0 10.0.2.15/24 by DHCP`.
 *
 * @param atMs Monotonic time since kernel start.
 */
export function formatTransition(status: PhaseStatus, atMs: number): string {
  const attempts = status.attempts > 1 ? ` (attempt ${status.attempts})` : "";
  return formatLine(atMs, status.phase, status.state, `${status.reason}${attempts}`);
}

export function formatLine(atMs: number, what: string, state: string, text: string): string {
  const seconds = (atMs / 1000).toFixed(3).padStart(7);
  const line = `[${seconds}] ${what.padEnd(14)} ${state.padEnd(8)} ${printable(text)}`;
  return line.trimEnd();
}

/** Reasons may quote what a network said: nothing of that may steer a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
