import type { Bytes } from "../resp/bytes.ts";
import { Deque } from "./deque.ts";
import { wrongType } from "./errors.ts";
import type { ListEntry, Store } from "./store.ts";

export type Side = "left" | "right";

/** From where to where an element moves. */
export interface Move {
  readonly source: Bytes;
  readonly from: Side;
  readonly destination: Bytes;
  readonly to: Side;
}

/**
 * Lists. An empty list does not exist. Every method but {@link find} throws AgentError `E_KEY_TYPE`
 * when a key holds something else, before anything was changed.
 */
export class Lists {
  readonly #store: Store;
  readonly #onGrow: (key: Bytes) => void;

  /** @param onGrow Told after each change that added elements. */
  constructor(store: Store, onGrow: (key: Bytes) => void) {
    this.#store = store;
    this.#onGrow = onGrow;
  }

  /** The list, or undefined when there is none or the key is of another type. */
  find(key: Bytes): ListEntry | undefined {
    const entry = this.#store.get(key);
    return entry?.type === "list" ? entry : undefined;
  }

  /** @returns The length right after the push, before any waiting client took its share. */
  push(key: Bytes, side: Side, values: readonly Bytes[]): number {
    const entry = this.#require(key) ?? this.#create(key);
    for (const value of values) this.#add(entry, side, value);
    const length = entry.items.length;
    this.#onGrow(key);
    return length;
  }

  /**
   * Appends one element for the node itself: what a client stored under the key gives way. One look
   * at the keys where a push and a look at what came of it take several.
   *
   * @returns The list; undefined when a waiting client took its only element.
   */
  append(key: Bytes, value: Bytes): ListEntry | undefined {
    let entry = this.#store.get(key);
    if (entry?.type === "string") {
      this.#store.remove(entry);
      entry = undefined;
    }
    const list = entry ?? this.#create(key);
    this.#add(list, "right", value);
    this.#onGrow(key);
    return list.items.length === 0 ? undefined : list;
  }

  pop(key: Bytes, side: Side): Bytes | undefined {
    const entry = this.#require(key);
    return entry === undefined ? undefined : this.#take(entry, side);
  }

  /** Pops up to `count`; undefined when there is no list. */
  popMany(key: Bytes, side: Side, count: number): Bytes[] | undefined {
    const entry = this.#require(key);
    if (entry === undefined) return undefined;
    const values: Bytes[] = [];
    const wanted = Math.min(count, entry.items.length);
    while (values.length < wanted) values.push(this.#take(entry, side));
    return values;
  }

  /** Moves one element. A list moved onto itself is rotated in place and keeps its time to live. */
  move({ source, from, destination, to }: Move): Bytes | undefined {
    const entry = this.#require(source);
    if (entry === undefined) return undefined;
    if (source === destination) {
      const value = from === "left" ? entry.items.popLeft() : entry.items.popRight();
      if (to === "left") entry.items.pushLeft(value as Bytes);
      else entry.items.pushRight(value as Bytes);
      return value;
    }
    const target = this.#require(destination);
    const value = this.#take(entry, from);
    this.#add(target ?? this.#create(destination), to, value);
    this.#onGrow(destination);
    return value;
  }

  length(key: Bytes): number {
    return this.#require(key)?.items.length ?? 0;
  }

  /** Elements `start` to `stop`, both inclusive; negative numbers count from the right. */
  range(key: Bytes, start: number, stop: number): Bytes[] {
    const entry = this.#require(key);
    if (entry === undefined) return [];
    const { first, end } = clamp(start, stop, entry.items.length);
    return entry.items.slice(first, end);
  }

  /** Keeps the elements {@link range} would show. */
  trim(key: Bytes, start: number, stop: number): void {
    const entry = this.#require(key);
    if (entry === undefined) return;
    const { first, end } = clamp(start, stop, entry.items.length);
    if (first >= end) {
      this.#store.remove(entry);
      return;
    }
    for (let surplus = entry.items.length - end; surplus > 0; surplus -= 1) {
      this.#take(entry, "right");
    }
    for (let surplus = first; surplus > 0; surplus -= 1) this.#take(entry, "left");
  }

  index(key: Bytes, index: number): Bytes | undefined {
    const items = this.#require(key)?.items;
    return items?.at(index < 0 ? items.length + index : index);
  }

  /**
   * Removes elements equal to `value`.
   *
   * @param count Above 0: that many from the left; below 0: from the right; 0: all.
   * @returns How many were removed.
   */
  remove(key: Bytes, count: number, value: Bytes): number {
    const entry = this.#require(key);
    if (entry === undefined) return 0;
    const items = entry.items.slice(0, entry.items.length);
    if (count < 0) items.reverse();
    let left = count === 0 ? items.length : Math.abs(count);
    const kept = items.filter((item) => item !== value || left-- <= 0);
    const removed = items.length - kept.length;
    if (removed === 0) return 0;
    if (kept.length === 0) {
      this.#store.remove(entry);
      return removed;
    }
    entry.items.assign(count < 0 ? kept.reverse() : kept);
    this.#store.charge(entry, -removed * (value.length + ITEM_OVERHEAD_BYTES));
    return removed;
  }

  #require(key: Bytes): ListEntry | undefined {
    const entry = this.#store.get(key);
    if (entry === undefined || entry.type === "list") return entry;
    throw wrongType();
  }

  #create(key: Bytes): ListEntry {
    return this.#store.insertList(key, new Deque());
  }

  #add(entry: ListEntry, side: Side, value: Bytes): void {
    if (side === "left") entry.items.pushLeft(value);
    else entry.items.pushRight(value);
    this.#store.charge(entry, value.length + ITEM_OVERHEAD_BYTES);
  }

  /** Pops from a list that is not empty; the key goes with the last element. */
  #take(entry: ListEntry, side: Side): Bytes {
    const value = (side === "left" ? entry.items.popLeft() : entry.items.popRight()) as Bytes;
    this.#store.charge(entry, -(value.length + ITEM_OVERHEAD_BYTES));
    if (entry.items.length === 0) this.#store.remove(entry);
    return value;
  }
}

/** Measured: string header and ring slot. */
const ITEM_OVERHEAD_BYTES = 48;

function clamp(start: number, stop: number, length: number): { first: number; end: number } {
  const first = Math.max(0, start < 0 ? length + start : start);
  const last = Math.min(length - 1, stop < 0 ? length + stop : stop);
  return { first, end: Math.max(first, last + 1) };
}
