import type { JobMessage } from "../job/types.ts";
import { costOf } from "./backlog.ts";

/** What is written in one go. */
export interface Batch {
  readonly records: readonly JobMessage[];
  /** Records that had to leave before these. */
  readonly lost: number;
}

/**
 * Records that wait for a file or a connection. They are kept as they are: one that leaves for want of
 * room has cost next to nothing.
 */
export class RecordQueue {
  readonly #maxBytes: number;
  #records: JobMessage[] = [];
  /** Place of the oldest record: shifting a long array moves all of it. */
  #first = 0;
  #bytes = 0;
  #lost = 0;
  #allLost = 0;

  /** @param maxBytes Length of the texts, and something for each record. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Records that were lost since the start, whether or not somebody was told. */
  get allLost(): number {
    return this.#allLost;
  }

  get isEmpty(): boolean {
    return this.#first === this.#records.length && this.#lost === 0;
  }

  /** The oldest records leave first. */
  push(message: JobMessage): void {
    const record = shorten(message);
    this.#records.push(record);
    this.#bytes += costOf(record);
    while (this.#bytes > this.#maxBytes && this.#shift() !== undefined) this.lose(1);
  }

  /** Records that were taken and could not be written. */
  lose(count: number): void {
    this.#lost += count;
    this.#allLost += count;
  }

  /** It could not be told that so many were lost. */
  tellAgain(count: number): void {
    this.#lost += count;
  }

  /** Takes the oldest records, at least one if there is any, and forgets how many were lost. */
  take(maxBytes: number): Batch {
    const records: JobMessage[] = [];
    for (let bytes = 0; bytes < maxBytes; ) {
      const record = this.#shift();
      if (record === undefined) break;
      records.push(record);
      bytes += costOf(record);
    }
    const lost = this.#lost;
    this.#lost = 0;
    return { records, lost };
  }

  #shift(): JobMessage | undefined {
    const record = this.#records[this.#first];
    if (record === undefined) return undefined;
    this.#records[this.#first] = GONE;
    this.#first += 1;
    this.#bytes -= costOf(record);
    if (this.#first > COMPACT_AT && this.#first * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#first);
      this.#first = 0;
    }
    return record;
  }
}

/** Characters of a text; longer ones would hold the event loop while they are formatted. */
const MAX_TEXT = 262_144;
const COMPACT_AT = 64;
/** In the place of a record that was taken, so that the array does not keep it alive. */
const GONE: JobMessage = { jobId: "", text: "", level: 0, flags: 0, epochNs: 0n };

/** A text that is too long keeps its beginning. Copied: a part would keep the whole text alive. */
function shorten(message: JobMessage): JobMessage {
  const { text } = message;
  if (text.length <= MAX_TEXT) return message;
  const kept = Buffer.from(text.slice(0, MAX_TEXT), "utf8").toString("utf8");
  return { ...message, text: `${kept}\n[${text.length - MAX_TEXT} characters left out]` };
}

/** Tells those who read the log that something is missing. */
export function lostRecord(lost: number, epochNs: bigint): JobMessage {
  const text = lost === 1 ? "1 record lost" : `${lost} records lost`;
  return { jobId: "", text, level: WARNING, flags: 0, epochNs };
}

const WARNING = 7;
