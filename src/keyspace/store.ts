import type { Clock } from "../base/clock.ts";
import type { Bytes } from "../resp/bytes.ts";
import type { Deque } from "./deque.ts";
import { outOfMemory } from "./errors.ts";
import { ExpiryIndex, type ExpiryNode } from "./expiry-index.ts";
import { Slots } from "./slots.ts";

/** Keeps count of entries it calls its own, and learns when one leaves, whatever the reason. */
export interface EntryOwner {
  charged(bytes: number): void;
  removed(entry: Entry): void;
}

interface EntryBase {
  readonly key: Bytes;
  /** Rises along the order in which entries are listed; what SCAN cursors are made of. */
  readonly serial: number;
  /** On the monotonic clock: a machine without battery clock jumps by years when it gets the time. */
  expiresAtMs: number;
  expiryNode: ExpiryNode<Entry> | null;
  /** What this entry is charged for. */
  sizeBytes: number;
  owner: EntryOwner | null;
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
  readonly #slots = new Slots<Entry>();
  readonly #expiries = new ExpiryIndex<Entry>();
  #usedBytes = 0;
  #expiredCount = 0;
  #cancelSweep: (() => void) | null = null;

  constructor(options: StoreOptions) {
    this.#clock = options.clock;
    this.maxBytes = options.maxBytes;
  }

  get size(): number {
    return this.#slots.size;
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
    const entry = this.#slots.get(key);
    if (entry === undefined || entry.expiresAtMs === NEVER) return entry;
    if (entry.expiresAtMs > this.#clock.monotonicMs()) return entry;
    this.#expire(entry);
    return undefined;
  }

  /** Enters an empty list; the caller has made sure that there is no such key. */
  insertList(key: Bytes, items: Deque): ListEntry {
    const build = (serial: number): ListEntry => ({
      type: "list",
      items,
      key,
      serial,
      expiresAtMs: NEVER,
      expiryNode: null,
      sizeBytes: 0,
      owner: null,
    });
    const entry = this.#slots.insert(key, build) as ListEntry;
    this.charge(entry, key.length + ENTRY_OVERHEAD_BYTES);
    return entry;
  }

  /** Enters a string; the caller has made sure that there is no such key. */
  insertString(key: Bytes, value: Bytes): StringEntry {
    const build = (serial: number): StringEntry => ({
      type: "string",
      value,
      key,
      serial,
      expiresAtMs: NEVER,
      expiryNode: null,
      sizeBytes: 0,
      owner: null,
    });
    const entry = this.#slots.insert(key, build) as StringEntry;
    this.charge(entry, key.length + value.length + ENTRY_OVERHEAD_BYTES);
    return entry;
  }

  remove(entry: Entry): void {
    this.#slots.remove(entry);
    this.#usedBytes -= entry.sizeBytes;
    if (entry.expiryNode !== null) this.#expiries.remove(entry.expiryNode);
    entry.expiryNode = null;
    const { owner } = entry;
    entry.owner = null;
    owner?.charged(-entry.sizeBytes);
    owner?.removed(entry);
  }

  charge(entry: Entry, bytes: number): void {
    entry.sizeBytes += bytes;
    this.#usedBytes += bytes;
    entry.owner?.charged(bytes);
  }

  /** From here on `owner` counts this entry, beginning with what it holds now. */
  adopt(entry: Entry, owner: EntryOwner): void {
    entry.owner = owner;
    owner.charged(entry.sizeBytes);
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
    const node = entry.expiryNode;
    entry.expiresAtMs = ttlMs === null ? NEVER : this.#clock.monotonicMs() + ttlMs;
    if (node !== null && this.#expiries.isPlaced(node, entry.expiresAtMs)) return;
    if (node !== null) this.#expiries.remove(node);
    entry.expiryNode = ttlMs === null ? null : this.#expiries.add(entry, entry.expiresAtMs);
    this.#steerSweeping(SWEEP_INTERVAL_MS);
  }

  /** Milliseconds to live; null when the key does not expire. */
  ttlMs(entry: Entry): number | null {
    if (entry.expiresAtMs === NEVER) return null;
    return entry.expiresAtMs - this.#clock.monotonicMs();
  }

  /** All live entries by rising serial; stays valid while keys come and go. */
  *entries(): IterableIterator<Entry> {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#slots.values()) if (entry.expiresAtMs > nowMs) yield entry;
  }

  /** Stops the timer: from here on keys expire only when they are looked at. */
  stop(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = () => {};
  }

  #expire(entry: Entry): void {
    this.remove(entry);
    this.#expiredCount += 1;
  }

  /** The timer goes on while there is something to expire. */
  #steerSweeping(delayMs: number): void {
    if (this.#expiries.size > 0) {
      this.#cancelSweep ??= this.#clock.after(delayMs, () => this.#sweep());
    }
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const due = this.#expiries.due(this.#clock.monotonicMs(), SWEEP_LIMIT);
    for (const entry of due) this.#expire(entry);
    // A full slice means that more is due: give others a turn and go on.
    this.#steerSweeping(due.length === SWEEP_LIMIT ? 1 : SWEEP_INTERVAL_MS);
  }
}

const NEVER = Number.POSITIVE_INFINITY;
const SWEEP_INTERVAL_MS = 1000;
/** Keys removed in one go, a few milliseconds' worth. */
const SWEEP_LIMIT = 5000;
/** Measured: map slot, entry, an empty list, and its place in the expiry index. */
const ENTRY_OVERHEAD_BYTES = 320;
