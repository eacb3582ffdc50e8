import type { Clock } from "../base/clock.ts";
import type { BusEvent } from "../events/bus.ts";
import type { SequenceEvents } from "../sequencer/sequence.ts";
import type { PhaseStatus } from "../sequencer/types.ts";
import { renderScreen, type ScreenContent, type ScreenSize } from "./screen.ts";
import { formatLine, formatTransition } from "./text.ts";
import type { ConsoleWriter } from "./writer.ts";

export interface ConsoleOptions {
  readonly clock: Clock;
  /** Get one line per transition. */
  readonly lines: readonly ConsoleWriter[];
  /** Is redrawn; null where there is none. */
  readonly screen: ConsoleWriter | null;
  readonly size: ScreenSize;
  /** What the screen shows at this moment. */
  readonly content: () => ScreenContent;
}

/** Changes that come together are drawn together. */
const REDRAW_MS = 100;
/** What a phase waits for is worth a line only when it takes long. */
const PATIENCE_MS = 1000;

/** Shows the life of the machine on its own terminals. */
export class Console {
  readonly #options: ConsoleOptions;
  readonly #latest = new Map<string, PhaseStatus>();
  readonly #shown = new Map<string, PhaseStatus>();
  #isDrawing = false;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  /** Takes every event of the sequences. */
  onEvent(event: BusEvent<SequenceEvents>): void {
    if (event.type === "phase.change") {
      const { sequence, status } = event.payload as SequenceEvents["phase.change"];
      this.#onPhase(`${sequence}/${status.phase}`, status);
    }
    if (event.type === "sequence.end") {
      const { sequence, outcome, endMs } = event.payload as SequenceEvents["sequence.end"];
      const text = outcome.state === "done" ? "" : `${outcome.phase}: ${outcome.reason}`;
      this.#line(formatLine(endMs, sequence, outcome.state, text));
    }
    this.redraw();
  }

  /** A line of its own, for example a problem of the kernel command line. */
  note(what: string, text: string): void {
    this.#line(formatLine(this.#options.clock.monotonicMs(), what, "note", text));
    this.redraw();
  }

  /** Draws the screen soon. */
  redraw(): void {
    const { screen, size, content, clock } = this.#options;
    if (screen === null || this.#isDrawing) return;
    this.#isDrawing = true;
    clock.after(REDRAW_MS, () => {
      this.#isDrawing = false;
      screen.write(renderScreen(content(), size));
    });
  }

  #onPhase(key: string, status: PhaseStatus): void {
    this.#latest.set(key, status);
    if (status.state === "pending") return;
    if (status.state !== "running") this.#phaseLine(key, status);
    else if (status.reason !== "") {
      this.#options.clock.after(PATIENCE_MS, () => {
        if (this.#latest.get(key) === status) this.#phaseLine(key, status);
      });
    }
  }

  /** An attempt that fails like the one before it is no news. */
  #phaseLine(key: string, status: PhaseStatus): void {
    const last = this.#shown.get(key);
    if (last?.state === status.state && last.reason === status.reason) return;
    this.#shown.set(key, status);
    this.#line(formatTransition(status, this.#options.clock.monotonicMs()));
  }

  #line(text: string): void {
    for (const writer of this.#options.lines) writer.write(`${text}\r\n`);
  }
}
