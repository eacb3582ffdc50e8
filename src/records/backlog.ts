import type { JobMessage } from "../job/types.ts";

/** Beside its text a record costs about this much. */
const RECORD_OVERHEAD = 128;

/** The newest records, limited in number and in the length of their texts. */
export class Backlog {
  readonly #slots: (JobMessage | undefined)[];
  readonly #maxBytes: number;
  /** Slot of the oldest record. */
  #first = 0;
  #length = 0;
  #bytes = 0;

  constructor(limits: { readonly records: number; readonly bytes: number }) {
    this.#slots = new Array<JobMessage | undefined>(limits.records).fill(undefined);
    this.#maxBytes = limits.bytes;
  }

  /** A record that is longer than the limit alone empties the backlog. */
  push(message: JobMessage): void {
    if (this.#length === this.#slots.length) this.#drop();
    this.#slots[(this.#first + this.#length) % this.#slots.length] = message;
    this.#length += 1;
    this.#bytes += costOf(message);
    while (this.#bytes > this.#maxBytes) this.#drop();
  }

  /** Oldest first. */
  entries(): JobMessage[] {
    const { length } = this.#slots;
    return Array.from(
      { length: this.#length },
      (_, at) => this.#slots[(this.#first + at) % length],
    ).filter((message) => message !== undefined);
  }

  #drop(): void {
    const oldest = this.#slots[this.#first];
    if (oldest !== undefined) this.#bytes -= costOf(oldest);
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#slots.length;
    this.#length -= 1;
  }
}

export function costOf({ text, jobId }: JobMessage): number {
  return text.length + jobId.length + RECORD_OVERHEAD;
}
