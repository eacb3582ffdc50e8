import type { Clock } from "../../base/clock.ts";
import { sourceOf } from "../server-address.ts";

/** Pause after a wrong token; doubles with each failure of the address. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** An address that has not failed for this long is a new one. */
const FORGET_MS = 15 * 60 * 1000;
const MOST_ADDRESSES = 10_000;

interface Failures {
  count: number;
  lastMs: number;
  /** Wrong tokens before this are not answered as such. */
  nextMs: number;
}

/** Slows down guessing: failures of an address, or of an IPv6 network, delay its next tries, more with each. */
export class LoginGuard {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds an address has to wait before its next try; 0: none. */
  waitMs(address: string): number {
    const failures = this.#failures.get(sourceOf(address));
    return Math.max(0, (failures?.nextMs ?? 0) - this.#clock.monotonicMs());
  }

  /** Notes a failure: the address has to wait longer than after the one before. */
  failed(address: string): void {
    const nowMs = this.#clock.monotonicMs();
    this.#forget(nowMs);
    const key = sourceOf(address);
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS);
    this.#failures.delete(key); // Inserted anew: the map keeps the order of last use.
    this.#failures.set(key, { count, lastMs: nowMs, nextMs: nowMs + pauseMs });
  }

  succeeded(address: string): void {
    this.#failures.delete(sourceOf(address));
  }

  #forget(nowMs: number): void {
    for (const [key, { lastMs }] of this.#failures) {
      if (nowMs - lastMs < FORGET_MS && this.#failures.size < MOST_ADDRESSES) return;
      this.#failures.delete(key);
    }
  }
}
