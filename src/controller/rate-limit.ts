/** Sources remembered at a time. A flood from more than these is counted as one source. */
const MOST_SOURCES = 10_000;

const MINUTE_MS = 60_000;
const SWEEP_MS = 1000;

export interface RateAnswer {
  readonly isAllowed: boolean;
  /** Whole seconds until there is room for one more; 0 where it is allowed. */
  readonly retryAfterS: number;
}

/**
 * Lets each source have `perMinute` events a minute: a bucket that holds that many and refills evenly.
 * Its memory is bounded: buckets that are full again are forgotten.
 */
export class RateLimit {
  readonly #perMinute: number;
  readonly #nowMs: () => number;
  #sweptMs = Number.NEGATIVE_INFINITY;
  readonly #buckets = new Map<string, { level: number; atMs: number }>();

  /** @param nowMs Monotonic. */
  constructor(perMinute: number, nowMs: () => number) {
    this.#perMinute = perMinute;
    this.#nowMs = nowMs;
  }

  /** Counts one event where there is room for it. */
  take(source: string): RateAnswer {
    const answer = this.peek(source);
    if (answer.isAllowed) this.#bucket(source).level -= 1;
    return answer;
  }

  /** Says whether there is room, and counts nothing. */
  peek(source: string): RateAnswer {
    const { level } = this.#bucket(source);
    if (level >= 1) return { isAllowed: true, retryAfterS: 0 };
    const waitMs = ((1 - level) * MINUTE_MS) / this.#perMinute;
    return { isAllowed: false, retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  get sources(): number {
    return this.#buckets.size;
  }

  #bucket(source: string): { level: number; atMs: number } {
    const now = this.#nowMs();
    const known = this.#buckets.get(source);
    if (known !== undefined) {
      known.level = this.#refilled(known, now);
      known.atMs = now;
      return known;
    }
    if (this.#buckets.size >= MOST_SOURCES) this.#forgetFull(now);
    const name = this.#buckets.size >= MOST_SOURCES ? "" : source;
    const bucket = this.#buckets.get(name) ?? { level: this.#perMinute, atMs: now };
    bucket.level = this.#refilled(bucket, now);
    bucket.atMs = now;
    this.#buckets.set(name, bucket);
    return bucket;
  }

  #refilled(bucket: { level: number; atMs: number }, now: number): number {
    const gained = ((now - bucket.atMs) * this.#perMinute) / MINUTE_MS;
    return Math.min(this.#perMinute, bucket.level + gained);
  }

  /** Once a second at most: looking through all of them for each request of a flood would help it. */
  #forgetFull(now: number): void {
    if (now - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = now;
    for (const [source, bucket] of this.#buckets) {
      if (this.#refilled(bucket, now) >= this.#perMinute) this.#buckets.delete(source);
    }
  }
}
