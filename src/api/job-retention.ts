import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Entry, EntryOwner } from "../keyspace/store.ts";
import type { Bytes } from "../resp/bytes.ts";

/** A job whose result is kept, between the one that ended before it and the one after it. */
class Kept implements EntryOwner {
  readonly id: Bytes;
  readonly #retention: JobRetention;
  previous: Kept | null = null;
  next: Kept | null = null;

  constructor(id: Bytes, retention: JobRetention) {
    this.id = id;
    this.#retention = retention;
  }

  charged(bytes: number): void {
    this.#retention.charged(bytes);
  }

  removed(): void {
    this.#retention.forget(this);
  }
}

/**
 * Bounds what is kept of all jobs together. Flag, result and stream of the job that ended first leave
 * first, in one go: whoever asks for it then is told at once that nobody knows it.
 */
export class JobRetention implements EntryOwner {
  readonly #keyspace: Keyspace;
  readonly #limitBytes: number;
  #usedBytes = 0;
  #oldest: Kept | null = null;
  #newest: Kept | null = null;

  constructor(keyspace: Keyspace, limitBytes: number) {
    this.#keyspace = keyspace;
    this.#limitBytes = limitBytes;
  }

  /** Flags, results and streams, as the keyspace counts them. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  charged(bytes: number): void {
    this.#usedBytes += bytes;
  }

  removed(): void {}

  /** Counts a flag or a stream. */
  adopt(entry: Entry): void {
    if (entry.owner === null) this.#keyspace.store.adopt(entry, this);
  }

  /** A result was published: its job is the newest of those that may leave. */
  keep(id: Bytes, result: Entry): void {
    if (result.owner !== null) return;
    const kept = new Kept(id, this);
    kept.previous = this.#newest;
    if (this.#newest === null) this.#oldest = kept;
    else this.#newest.next = kept;
    this.#newest = kept;
    this.#keyspace.store.adopt(result, kept);
  }

  /** Lets old jobs go until the limit holds; the newest result stays, whatever its length. */
  enforce(): void {
    while (this.#usedBytes > this.#limitBytes && this.#oldest !== this.#newest) this.#dropOldest();
  }

  /** A stream grew: old jobs leave first, then the beginning of the stream itself. */
  enforceStream(stream: Bytes): void {
    while (this.#usedBytes > this.#limitBytes && this.#oldest !== null) this.#dropOldest();
    const { lists } = this.#keyspace;
    while (this.#usedBytes > this.#limitBytes && lists.length(stream) > 1)
      lists.pop(stream, "left");
  }

  forget(kept: Kept): void {
    if (kept.previous === null) this.#oldest = kept.next;
    else kept.previous.next = kept.next;
    if (kept.next === null) this.#newest = kept.previous;
    else kept.next.previous = kept.previous;
  }

  #dropOldest(): void {
    const { store } = this.#keyspace;
    const id = this.#oldest?.id ?? "";
    for (const key of [flagKey(id), streamKey(id), resultKey(id)]) {
      const entry = store.get(key);
      if (entry !== undefined) store.remove(entry);
    }
  }
}

export const flagKey = (id: Bytes): Bytes => `result:${id}:flag`;
export const resultKey = (id: Bytes): Bytes => `result:${id}`;
export const streamKey = (id: Bytes): Bytes => `stream:${id}`;
