import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { Bytes } from "../resp/bytes.ts";
import { wrongType } from "./errors.ts";
import type { Lists, Side } from "./lists.ts";

/** What ends a wait: an element, an error, or undefined when the time is up. */
export type WaitOutcome = { readonly key: Bytes; readonly value: Bytes } | AgentError | undefined;

export interface WaitOptions {
  readonly keys: readonly Bytes[];
  readonly from: Side;
  /** Where the element goes; undefined takes it out. */
  readonly destination?: { readonly key: Bytes; readonly to: Side };
  /** 0 waits for ever. */
  readonly timeoutMs: number;
  /** Called once, unless the wait was cancelled. May be called while another client is served. */
  readonly done: (outcome: WaitOutcome) => void;
}

/** Takes every element of one list, before any waiting client. */
export interface Consumer {
  hasRoom(): boolean;
  take(value: Bytes): void;
}

interface Waiter extends WaitOptions {
  isWaiting: boolean;
  cancelTimer: () => void;
}

/**
 * Clients that wait for list elements. They are served inside the push that brings the element, so
 * nothing that follows the push (`EXPIRE`, `DEL`) can come between; in the order in which they began
 * to wait; and all of those that put the element back are served by a single one.
 * Source: wire protocol 2.3.
 */
export class Blocking {
  readonly #clock: Clock;
  readonly #lists: () => Lists;
  readonly #waiters = new Map<Bytes, Set<Waiter>>();
  /** Lists that grew and were not looked at yet. */
  readonly #grown = new Set<Bytes>();
  #isServing = false;
  #waiterCount = 0;
  /** Keys waited for, each as often as somebody waits for it. */
  #keyCount = 0;
  #consumed: { key: Bytes; consumer: Consumer } | null = null;

  constructor(clock: Clock, lists: () => Lists) {
    this.#clock = clock;
    this.#lists = lists;
  }

  get waiterCount(): number {
    return this.#waiterCount;
  }

  /** Keys waited for, and some that were. */
  get slotCount(): number {
    return this.#waiters.size;
  }

  /** Gives all elements of a list to one consumer; call {@link grew} when it has room again. */
  consume(key: Bytes, consumer: Consumer): void {
    this.#consumed = { key, consumer };
    this.grew(key);
  }

  /** Starts to wait; the caller has seen that no key has an element. @returns Cancels the wait. */
  wait(options: WaitOptions): () => void {
    const waiter: Waiter = { ...options, isWaiting: true, cancelTimer: () => {} };
    for (const key of options.keys) {
      const waiters = this.#waiters.get(key);
      if (waiters === undefined) this.#waiters.set(key, new Set([waiter]));
      else waiters.add(waiter);
    }
    this.#keyCount += options.keys.length;
    this.#waiterCount += 1;
    if (options.timeoutMs > 0) {
      waiter.cancelTimer = this.#clock.after(options.timeoutMs, () => {
        this.#forget(waiter);
        waiter.done(undefined);
      });
    }
    return () => this.#forget(waiter);
  }

  /** A list may have elements for somebody. */
  grew(key: Bytes): void {
    if (!this.#waiters.get(key)?.size && this.#consumed?.key !== key) return;
    this.#grown.add(key);
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      // Serving may make other lists grow, or this one again: they join the end of the set.
      for (const next of this.#grown) {
        this.#grown.delete(next);
        this.#serve(next);
      }
    } finally {
      this.#isServing = false;
    }
  }

  #serve(key: Bytes): void {
    const lists = this.#lists();
    if (this.#consumed?.key === key) {
      const { consumer } = this.#consumed;
      while (lists.find(key) !== undefined && consumer.hasRoom()) {
        consumer.take(lists.pop(key, "left") as Bytes);
      }
    }
    for (const waiter of this.#waiters.get(key) ?? []) {
      if (lists.find(key) === undefined) return;
      this.#forget(waiter);
      waiter.done(this.#collect(lists, key, waiter));
    }
  }

  #collect(lists: Lists, key: Bytes, waiter: Waiter): WaitOutcome {
    const { destination, from } = waiter;
    if (destination === undefined) return { key, value: lists.pop(key, from) as Bytes };
    try {
      const value = lists.move({
        source: key,
        from,
        destination: destination.key,
        to: destination.to,
      });
      return { key, value: value as Bytes };
    } catch (error) {
      return error instanceof AgentError ? error : wrongType();
    }
  }

  /** Does nothing for one that is not waiting any more. */
  #forget(waiter: Waiter): void {
    waiter.cancelTimer();
    if (!waiter.isWaiting) return;
    waiter.isWaiting = false;
    for (const key of waiter.keys) this.#waiters.get(key)?.delete(waiter);
    this.#waiterCount -= 1;
    this.#keyCount -= waiter.keys.length;
    // Empty sets stay for those who wait for the same key again, until there are too many of them.
    if (this.#waiters.size > this.#keyCount * 2 + MAX_IDLE_KEYS) this.#cleanUp();
  }

  #cleanUp(): void {
    for (const [key, waiters] of this.#waiters) if (waiters.size === 0) this.#waiters.delete(key);
  }
}

const MAX_IDLE_KEYS = 256;
