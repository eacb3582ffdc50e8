/** A retry policy as a value. Delays in milliseconds. */
export interface Backoff {
  readonly initialMs: number;
  readonly factor: number;
  readonly capMs: number;
  /** Share of the delay that is random, 0 to 1. */
  readonly jitter: number;
}

export const DEFAULT_BACKOFF: Backoff = { initialMs: 500, factor: 2, capMs: 30_000, jitter: 0.2 };

/**
 * Delay before attempt `attempt + 1`.
 *
 * @param attempt Number of attempts made so far, from 1.
 * @param random A number in [0, 1), injected so that tests are exact.
 */
export function backoffDelayMs(policy: Backoff, attempt: number, random: number): number {
  const grown = policy.initialMs * policy.factor ** Math.max(0, attempt - 1);
  const capped = Math.min(policy.capMs, grown);
  return Math.round(capped * (1 - policy.jitter * random));
}
