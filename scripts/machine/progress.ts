import type { WriteStream } from "node:tty";
import { formatPhaseLine, type PhaseLine } from "./phase-lines.ts";

/** Shows how a boot goes on. */
export interface Progress {
  /** Takes all transitions seen so far; shows what is new. */
  show(lines: readonly PhaseLine[]): void;
  /** Leaves the last state standing; what is written next begins on a line of its own. */
  end(): void;
}

type Output = Pick<WriteStream, "write"> & Partial<Pick<WriteStream, "isTTY" | "columns">>;

const DEFAULT_COLUMNS = 80;
const COLOURS: Readonly<Record<string, number>> = {
  done: 32,
  skipped: 90,
  running: 36,
  retrying: 33,
  failed: 31,
};

/** A list that is drawn again in place on a terminal, one line per transition anywhere else. */
export function openProgress(output: Output): Progress {
  return output.isTTY === true ? new LiveProgress(output) : new PlainProgress(output);
}

class PlainProgress implements Progress {
  readonly #output: Output;
  #shown = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  show(lines: readonly PhaseLine[]): void {
    for (const line of lines.slice(this.#shown)) this.#output.write(`${formatPhaseLine(line)}\n`);
    this.#shown = Math.max(this.#shown, lines.length);
  }

  end(): void {}
}

class LiveProgress implements Progress {
  readonly #output: Output;
  #drawn = "";
  #height = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  show(lines: readonly PhaseLine[]): void {
    const latest = new Map(lines.map((line) => [line.phase, line]));
    const columns = this.#output.columns ?? DEFAULT_COLUMNS;
    const text = [...latest.values()].map((line) => paint(line, columns)).join("");
    if (text === this.#drawn) return;
    const back = this.#height === 0 ? "" : `\u001b[${this.#height}A`;
    this.#output.write(`${back}\u001b[J${text}`);
    this.#drawn = text;
    this.#height = latest.size;
  }

  end(): void {
    this.#drawn = "";
    this.#height = 0;
  }
}

/** Cut to the width: a line that wraps would make the list drift down the screen. */
function paint(line: PhaseLine, columns: number): string {
  const text = formatPhaseLine(line).slice(0, columns - 1);
  return `\u001b[${COLOURS[line.state] ?? 0}m${text}\u001b[0m\n`;
}
