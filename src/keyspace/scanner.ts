import type { Bytes } from "../resp/bytes.ts";
import { matchesGlob } from "./glob.ts";
import type { Entry, Store } from "./store.ts";

export interface ScanOptions {
  /** Entries looked at in one call. */
  readonly count: number;
  readonly pattern?: Bytes;
  readonly type?: string;
}

/**
 * Cursors over the keys. A cursor is the serial number of the entry to go on with, so it stays valid
 * for ever and needs no memory; the last few are kept open to go on without starting over.
 */
export class Scanner {
  readonly #store: Store;
  readonly #open = new Map<number, { next: Entry; rest: Iterator<Entry> }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param cursor 0 starts. @returns Cursor 0 when everything was seen. */
  scan(cursor: number, options: ScanOptions): { cursor: number; keys: Bytes[] } {
    let { next, rest } = this.#resume(cursor);
    const keys: Bytes[] = [];
    for (let seen = 0; next !== undefined && seen < options.count; seen += 1) {
      if (isWanted(next, options) && this.#store.get(next.key) === next) keys.push(next.key);
      next = take(rest);
    }
    if (next === undefined) return { cursor: 0, keys };
    this.#open.set(next.serial, { next, rest });
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MAX_OPEN) break;
      this.#open.delete(oldest);
    }
    return { cursor: next.serial, keys };
  }

  #resume(cursor: number): { next: Entry | undefined; rest: Iterator<Entry> } {
    const open = this.#open.get(cursor);
    this.#open.delete(cursor);
    if (open !== undefined) return open;
    const rest = this.#store.entries();
    let next = take(rest);
    while (next !== undefined && next.serial < cursor) next = take(rest);
    return { next, rest };
  }
}

const MAX_OPEN = 8;

function take(entries: Iterator<Entry>): Entry | undefined {
  const result = entries.next();
  return result.done === true ? undefined : result.value;
}

function isWanted(entry: Entry, { pattern, type }: ScanOptions): boolean {
  if (type !== undefined && entry.type !== type) return false;
  return pattern === undefined || matchesGlob(pattern, entry.key);
}
