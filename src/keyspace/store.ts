import type { Clock } from "../base/clock.ts";
import type { Bytes } from "../resp/bytes.ts";
import type { Deque } from "./deque.ts";
import { outOfMemory } from "./errors.ts";
import { ExpiryIndex } from "./expiry-index.ts";

interface EntryBase {
  readonly key: Bytes;
  /** Rises with every new key; the order of the map, and what SCAN cursors are made of. */
  readonly serial: number;
  /** On the monotonic clock: a machine without battery clock jumps by years when it gets the time. */
  expiresAtMs: number;
  /** What this entry is charged for. */
  sizeBytes: number;
}

export interface ListEntry extends EntryBase {
  readonly type: "list";
  readonly items: Deque;
}

export interface StringEntry extends EntryBase {
  readonly type: "string";
  value: Bytes;
}

export type Entry = ListEntry | StringEntry;

export interface StoreOptions {
  readonly clock: Clock;
  /** Memory clients may fill; the node's own writes go through beyond it. */
  readonly maxBytes: number;
}

/**
 * The keys: lookup, expiry and memory accounting. A key past its time is gone at the first look
 * (lazy), and one timer removes the keys nobody looks at (active).
 */
export class Store {
  readonly maxBytes: number;
  readonly #clock: Clock;
  readonly #entries = new Map<Bytes, Entry>();
  readonly #expiries = new ExpiryIndex();
  #usedBytes = 0;
  #lastSerial = 0;
  #expiredCount = 0;
  #cancelSweep: (() => void) | null = null;

  constructor(options: StoreOptions) {
    this.#clock = options.clock;
    this.maxBytes = options.maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get expiringCount(): number {
    return this.#expiries.size;
  }

  /** Keys removed because their time had passed, since the start. */
  get expiredCount(): number {
    return this.#expiredCount;
  }

  /** An estimate: bytes of keys and values and a fixed cost for each. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get(key: Bytes): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs === NEVER) return entry;
    if (entry.expiresAtMs > this.#clock.monotonicMs()) return entry;
    this.#expire(entry);
    return undefined;
  }

  /** Enters a new key; the caller has made sure that there is none of this name. */
  insert(key: Bytes, content: { type: "list"; items: Deque }): ListEntry;
  insert(key: Bytes, content: { type: "string"; value: Bytes }): StringEntry;
  insert(
    key: Bytes,
    content: { type: "list"; items: Deque } | { type: "string"; value: Bytes },
  ): Entry {
    this.#lastSerial += 1;
    const entry = {
      ...content,
      key,
      serial: this.#lastSerial,
      expiresAtMs: NEVER,
      sizeBytes: 0,
    } as Entry;
    this.#entries.set(key, entry);
    this.charge(entry, key.length + ENTRY_OVERHEAD_BYTES);
    return entry;
  }

  remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    if (entry.expiresAtMs !== NEVER) this.#expiries.remove(entry.key, entry.expiresAtMs);
    this.#usedBytes -= entry.sizeBytes;
    if (this.#expiries.size === 0) this.#stopSweeping();
  }

  charge(entry: Entry, bytes: number): void {
    entry.sizeBytes += bytes;
    this.#usedBytes += bytes;
  }

  /** @throws AgentError `E_KEYSPACE_FULL` when `extraBytes` more would pass the limit. */
  ensureRoom(extraBytes: number): void {
    if (this.#usedBytes + extraBytes > this.maxBytes) throw outOfMemory(this.maxBytes);
  }

  /** @param ttlMs Null: the key lives until it is removed. At most 0: it is gone at once. */
  setExpiry(entry: Entry, ttlMs: number | null): void {
    if (ttlMs !== null && ttlMs <= 0) {
      this.remove(entry);
      return;
    }
    const before = entry.expiresAtMs;
    const after = ttlMs === null ? NEVER : this.#clock.monotonicMs() + ttlMs;
    entry.expiresAtMs = after;
    if (before === NEVER && after !== NEVER) this.#expiries.add(entry.key, after);
    else if (before !== NEVER && after === NEVER) this.#expiries.remove(entry.key, before);
    else if (before !== NEVER) this.#expiries.move(entry.key, before, after);
    if (this.#expiries.size === 0) this.#stopSweeping();
    else this.#startSweeping(SWEEP_INTERVAL_MS);
  }

  /** Milliseconds to live; null when the key does not expire. */
  ttlMs(entry: Entry): number | null {
    if (entry.expiresAtMs === NEVER) return null;
    return entry.expiresAtMs - this.#clock.monotonicMs();
  }

  /** All live entries in order of creation; stays valid while keys come and go. */
  *entries(): IterableIterator<Entry> {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      if (entry.expiresAtMs > nowMs) yield entry;
    }
  }

  /** Stops the timer; the store must not be used afterwards. */
  stop(): void {
    this.#stopSweeping();
    this.#entries.clear();
    this.#expiries.clear();
  }

  #startSweeping(delayMs: number): void {
    this.#cancelSweep ??= this.#clock.after(delayMs, () => this.#sweep());
  }

  #stopSweeping(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const due = this.#expiries.due(this.#clock.monotonicMs(), SWEEP_LIMIT);
    for (const key of due) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) this.#expire(entry);
    }
    if (this.#expiries.size === 0) return;
    // A full slice means that more is due: give others a turn and go on.
    this.#startSweeping(due.length === SWEEP_LIMIT ? 1 : SWEEP_INTERVAL_MS);
  }

  #expire(entry: Entry): void {
    this.remove(entry);
    this.#expiredCount += 1;
  }
}

const NEVER = Number.POSITIVE_INFINITY;
const SWEEP_INTERVAL_MS = 1000;
/** Keys removed in one go, a few milliseconds' worth. */
const SWEEP_LIMIT = 5000;
/** Map slot, entry object, and an empty list or string. */
const ENTRY_OVERHEAD_BYTES = 160;
