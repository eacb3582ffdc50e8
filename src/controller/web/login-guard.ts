import { isIPv6 } from "node:net";
import type { Clock } from "../../base/clock.ts";

/** Delay before the answer to a wrong token; doubles with each failure of the address. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/** An address that has not failed for this long is a new one. */
const FORGET_MS = 15 * 60 * 1000;
const MOST_ADDRESSES = 10_000;

interface Failures {
  count: number;
  lastMs: number;
  /** No try is looked at before this. */
  nextMs: number;
}

/** Slows down guessing: failures of an address delay its next tries, more with each. */
export class LoginGuard {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds an address has to wait before its next try; 0: none. */
  waitMs(address: string): number {
    const failures = this.#failures.get(source(address));
    return Math.max(0, (failures?.nextMs ?? 0) - this.#clock.monotonicMs());
  }

  /** Notes a failure. @returns Milliseconds the answer is held back, and no other try is looked at. */
  failed(address: string): number {
    const nowMs = this.#clock.monotonicMs();
    this.#forget(nowMs);
    const key = source(address);
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (count - 1), LONGEST_DELAY_MS);
    this.#failures.delete(key); // Inserted anew: the map keeps the order of last use.
    this.#failures.set(key, { count, lastMs: nowMs, nextMs: nowMs + delayMs });
    return delayMs;
  }

  succeeded(address: string): void {
    this.#failures.delete(source(address));
  }

  #forget(nowMs: number): void {
    for (const [key, { lastMs }] of this.#failures) {
      if (nowMs - lastMs < FORGET_MS && this.#failures.size < MOST_ADDRESSES) return;
      this.#failures.delete(key);
    }
  }
}

/** One customer commonly has a whole /64 of IPv6 addresses: they count as one. */
function source(address: string): string {
  const plain = address.replace(/^::ffff:/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail = ""] = plain.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === "" ? [] : tail.split(":");
  const zeros = plain.includes("::") ? 8 - first.length - last.length : 0;
  return [...first, ...Array.from({ length: zeros }, () => "0"), ...last].slice(0, 4).join(":");
}
