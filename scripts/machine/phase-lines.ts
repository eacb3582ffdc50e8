import type { PhaseState } from "../../src/sequencer/types.ts";

/** One transition as the machine writes it to its serial line. */
export interface PhaseLine {
  /** Seconds since kernel start, as written. */
  readonly atText: string;
  readonly phase: string;
  readonly state: PhaseState;
  readonly reason: string;
}

/** Three digits after the point tell these lines from those of the kernel, which have six. */
const LINE = /^\[ *(\d+\.\d{3})\] (\S+) +(pending|running|retrying|done|skipped|failed)\b *(.*)$/gm;

/** Picks the transitions out of a serial log, oldest first. */
export function parsePhaseLines(serial: string): PhaseLine[] {
  return [...serial.matchAll(LINE)].map(([, atText = "", phase = "", state, reason = ""]) => ({
    atText,
    phase,
    state: state as PhaseState,
    reason,
  }));
}

/** One line for a person; the same columns as on the serial line. */
export function formatPhaseLine({ atText, phase, state, reason }: PhaseLine): string {
  return `  ${atText.padStart(7)} s  ${state.padEnd(8)}  ${phase.padEnd(15)} ${reason}`.trimEnd();
}
