import { parseCmdline } from "./pid-files.ts";
import { readTextAsync } from "./read-text.ts";

/** How long one command line may take to read, in milliseconds. */
const DEADLINE_MS = 500;

/**
 * Reads command lines of processes, which live in the memory of the process itself. The kernel waits
 * for the lock of that memory, and whoever holds it may be waiting for a page of a file system that
 * the agent serves. So: never on the main thread, with a deadline, and never more than one read
 * waiting at a time, because each one holds a thread of the pool until the process moves on.
 */
export class Cmdlines {
  readonly #deadlineMs: number;
  readonly #readFile: (path: string) => Promise<string | undefined>;
  #stuck: Promise<unknown> | undefined;

  constructor(deadlineMs = DEADLINE_MS, readFile = readTextAsync) {
    this.#deadlineMs = deadlineMs;
    this.#readFile = readFile;
  }

  /** The command line, or `""` where there is none (kernel threads) or it cannot be had in time. */
  async read(pid: number): Promise<string> {
    if (this.#stuck !== undefined) return "";
    const reading = this.#readFile(`/proc/${pid}/cmdline`);
    const text = await Promise.race([reading, this.#deadline(reading)]);
    return parseCmdline(text ?? "");
  }

  #deadline(reading: Promise<unknown>): Promise<undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#stuck = reading;
        void reading.finally(() => {
          this.#stuck = undefined;
        });
        resolve(undefined);
      }, this.#deadlineMs);
      const stop = () => clearTimeout(timer);
      void reading.then(stop, stop);
    });
  }
}
