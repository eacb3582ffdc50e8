import type { Clock } from "../base/clock.ts";

/** What a subscriber looks like from here. */
export interface Debtor {
  /** Bytes on their way to its client. */
  readonly unsentBytes: number;
  /** Sends what the subscriber is owed. Asks the budget again, which may refuse again. */
  catchUp(): void;
}

/**
 * What all subscribers together may leave unread. Whether a client is slow shows only after it was sent
 * something, so a large message for many clients has to be bounded before.
 */
export class PushBudget {
  readonly #clock: Clock;
  readonly #limitBytes: number;
  readonly #debtors: () => Iterable<Debtor>;
  readonly #owed = new Set<Debtor>();
  /** When last counted, and what was given since. */
  #countedBytes = 0;
  #givenBytes = 0;
  #countedMs = Number.NEGATIVE_INFINITY;
  #isRetryPlanned = false;

  /** @param debtors All subscribers. */
  constructor(clock: Clock, debtors: () => Iterable<Debtor>, limitBytes = LIMIT_BYTES) {
    this.#clock = clock;
    this.#debtors = debtors;
    this.#limitBytes = limitBytes;
  }

  /** Whether so many bytes may be sent now; if not, the subscriber is told when to try again. */
  grants(debtor: Debtor, bytes: number): boolean {
    if (!this.#fits(bytes)) this.#count();
    // One message may be larger than everything, and small ones go on for those who keep up.
    const isLight = bytes <= SMALL_BYTES && debtor.unsentBytes === 0;
    if (this.#fits(bytes) || isLight || this.#countedBytes + this.#givenBytes === 0) {
      this.#givenBytes += bytes;
      return true;
    }
    this.#owed.add(debtor);
    this.#planRetry();
    return false;
  }

  forget(debtor: Debtor): void {
    this.#owed.delete(debtor);
  }

  #fits(bytes: number): boolean {
    return this.#countedBytes + this.#givenBytes + bytes <= this.#limitBytes;
  }

  /** Not for each of a thousand subscribers of one message. */
  #count(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#countedMs < COUNT_MS) return;
    this.#countedMs = nowMs;
    this.#givenBytes = 0;
    this.#countedBytes = 0;
    for (const { unsentBytes } of this.#debtors()) this.#countedBytes += unsentBytes;
  }

  #planRetry(): void {
    if (this.#isRetryPlanned) return;
    this.#isRetryPlanned = true;
    this.#clock.after(RETRY_MS, () => {
      this.#isRetryPlanned = false;
      const owed = [...this.#owed];
      this.#owed.clear();
      for (const debtor of owed) debtor.catchUp();
    });
  }
}

const LIMIT_BYTES = 64 * 1024 * 1024;
const SMALL_BYTES = 16 * 1024;
const COUNT_MS = 10;
const RETRY_MS = 50;
