/** How long a protected job waits before it is started again (wire protocol 6.8). */
export class RespawnDelay {
  #delayMs = FIRST_MS;

  /** @param ranMs How long the run lasted that has just ended. */
  next(ranMs: number): number {
    if (ranMs >= QUIET_MS) this.#delayMs = FIRST_MS;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * FACTOR, LONGEST_MS);
    return delayMs;
  }
}

const FIRST_MS = 2000;
const FACTOR = 1.5;
const LONGEST_MS = 300_000;
/** A run of at least this length counts as sound: the delays begin anew. */
const QUIET_MS = 300_000;
