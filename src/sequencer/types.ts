export type PhaseState = "pending" | "running" | "retrying" | "done" | "skipped" | "failed";

/** One line of the boot timeline. Times are milliseconds of the monotonic clock (since kernel start). */
export interface PhaseStatus {
  readonly phase: string;
  readonly state: PhaseState;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly attempts: number;
  /** Why it is in this state, one line in plain words; empty when there is nothing to say. */
  readonly reason: string;
}
