/** Time as the agent sees it; tests pass one they advance by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Nanoseconds since the epoch. */
  wallNs(): bigint;
  /** Runs `action` once after `delayMs`; the returned function cancels. Never keeps the process alive. */
  after(delayMs: number, action: () => void): () => void;
}
