import type { Backoff } from "../base/backoff.ts";

/** What a running phase may do and must obey. */
export interface PhaseContext {
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the attempt ran out of time or the sequence was cancelled. */
  readonly signal: AbortSignal;
  /** Shows what the phase waits for, one line in plain words. */
  setReason(text: string): void;
  /** Something got better: the next retry comes after the shortest delay again. */
  progress(): void;
}

export interface RetryPolicy {
  readonly backoff: Backoff;
  /** Attempts in all, the first one included. */
  readonly attempts: number | "forever";
  /** Ends the waiting before the next attempt early when it resolves, for example: a link came up. */
  readonly wake?: (signal: AbortSignal) => Promise<void>;
}

/** See {@link Phase.background}. */
export type Background = "retries" | "all";

/** One step of a sequence, as data. Nothing runs while a list of phases is built. */
export interface Phase {
  readonly id: string;
  /**
   * One attempt. Resolves with what was reached, in one line ("eth0 10.0.2.15/24 by DHCP"); a throw
   * is a failed attempt and its message becomes the reason.
   */
  run(context: PhaseContext): Promise<string>;
  /** Asked only when the turn of the phase comes: a text skips it and says why. */
  readonly skip?: () => string | undefined;
  /** Default: one attempt. */
  readonly retry?: RetryPolicy;
  /** An attempt that takes longer is aborted and counts as failed. Default: no limit. */
  readonly attemptLimitMs?: number;
  /**
   * `retries`: when the first attempt fails, the next phase starts and retries go on beside it.
   * `all`: the next phase starts together with the first attempt. Default: the next one waits. A
   * function is asked when the turn of the phase comes.
   */
  readonly background?: Background | (() => Background | undefined);
  /** After the last attempt: end the sequence, or go on with the next phase. Default `fatal`. */
  readonly onFailure?: "fatal" | "continue";
  /**
   * Watches what the phase reached, from its end on. `lost` with a reason puts a finished phase back
   * to `retrying` in the background; nothing else stops.
   */
  readonly watch?: (lost: (reason: string) => void, signal: AbortSignal) => void;
}
