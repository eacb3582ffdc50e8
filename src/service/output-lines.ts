import type { Clock } from "../base/clock.ts";

export interface OutputLinesOptions {
  readonly clock: Clock;
  /** Gets each line that is let through, without control characters. */
  readonly onLine: (line: string) => void;
  /** Called before the first line after a flood, with the number of lines that were left out. */
  readonly onDropped: (lines: number) => void;
}

/** Lines let through at once, and for each second after that. */
const BURST = 50;
const PER_SECOND = 10;
const MAX_LINE_UNITS = 500;

/**
 * Cuts the output of a daemon into lines for the agent's log. A daemon that prints without end costs the log a
 * few lines a second; longer lines are cut.
 */
export class OutputLines {
  readonly #options: OutputLinesOptions;
  #rest = "";
  #tokens = BURST;
  #filledMs: number;
  #dropped = 0;
  #last = "";

  constructor(options: OutputLinesOptions) {
    this.#options = options;
    this.#filledMs = options.clock.monotonicMs();
  }

  /** The newest line that was not empty, left out or not; empty before the first. */
  get last(): string {
    return this.#last;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
    if (rest.length <= MAX_LINE_UNITS) {
      this.#rest = rest;
      return;
    }
    this.#line(rest);
    this.#rest = "";
  }

  /** Takes what came without a line end: the daemon is gone. */
  flush(): void {
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #line(raw: string): void {
    const line = raw
      .replaceAll(/\p{Cc}+/gu, " ")
      .trim()
      .slice(0, MAX_LINE_UNITS)
      .toWellFormed();
    if (line === "") return;
    this.#last = line;
    if (!this.#takeToken()) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) this.#options.onDropped(this.#dropped);
    this.#dropped = 0;
    this.#options.onLine(line);
  }

  #takeToken(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledMs) / 1000) * PER_SECOND);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
