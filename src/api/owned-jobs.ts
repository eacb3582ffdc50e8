import type { Clock } from "../base/clock.ts";
import type { Store } from "../keyspace/store.ts";

interface Owned {
  readonly user: string;
  readonly sinceMs: number;
}

/** Until then a job may wait to be taken by the engine, which makes it known. */
const GRACE_MS = 60_000;
const MAX_OWNED = 100_000;
const FIRST_SWEEP = 1024;

/** Which reader each job belongs to, for as long as the node knows the job. */
export class OwnedJobs {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #jobs = new Map<string, Owned>();
  #sweepAt = FIRST_SWEEP;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Says that a job will be this user's.
   *
   * @param id A UUID.
   * @returns False when it is somebody else's, or was there before.
   */
  claim(user: string, id: string): boolean {
    const owner = this.#jobs.get(id);
    if (owner !== undefined) return owner.user === user;
    if (this.#isKnown(id)) return false;
    this.#jobs.set(id, { user, sinceMs: this.#clock.monotonicMs() });
    if (this.#jobs.size > this.#sweepAt) this.#sweep();
    return true;
  }

  isOwn(user: string, id: string): boolean {
    return this.#jobs.get(id)?.user === user;
  }

  #isKnown(id: string): boolean {
    return this.#store.get(`result:${id}:flag`) !== undefined;
  }

  #sweep(): void {
    const oldMs = this.#clock.monotonicMs() - GRACE_MS;
    for (const [id, { sinceMs }] of this.#jobs) {
      if (sinceMs < oldMs && !this.#isKnown(id)) this.#jobs.delete(id);
    }
    for (const id of this.#jobs.keys()) {
      if (this.#jobs.size <= MAX_OWNED) break;
      this.#jobs.delete(id);
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#jobs.size * 2);
  }
}
