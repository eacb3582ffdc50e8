import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import type { LogSink } from "./logger.ts";

/** A full file becomes `<path>.old`, so a log takes twice this at most. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

/**
 * Appends lines to a file of bounded size. Meant for a memory file system: each line is written at
 * once, so that the last one before a crash is there. A full disk loses lines, never the agent.
 */
export class FileSink implements LogSink {
  readonly #path: string;
  #descriptor: number;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "a", 0o600);
  }

  write(line: string): void {
    try {
      this.#bytes += writeSync(this.#descriptor, line);
      if (this.#bytes >= SEGMENT_BYTES) this.#rotate();
    } catch {
      // There is nowhere left to say so; the next line may fit again.
    }
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    renameSync(this.#path, `${this.#path}.old`);
    this.#descriptor = openSync(this.#path, "a", 0o600);
    this.#bytes = 0;
  }
}
