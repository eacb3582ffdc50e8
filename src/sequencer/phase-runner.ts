import { backoffDelayMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Phase, PhaseContext, RetryPolicy } from "./phase.ts";
import { nextPhaseState, type PhaseEvent } from "./transitions.ts";
import type { PhaseState, PhaseStatus } from "./types.ts";
import { orAborted, sleep } from "./wait.ts";

export interface PhaseRunnerOptions {
  readonly clock: Clock;
  /** A number in [0, 1) for each delay. */
  readonly random: () => number;
  /** Called after every change, with the new status. */
  readonly onChange: (status: PhaseStatus) => void;
}

/** Runs one phase: attempts, delays, time limit, and the status others see. */
export class PhaseRunner {
  readonly #phase: Phase;
  readonly #options: PhaseRunnerOptions;
  #state: PhaseState = "pending";
  #startMs: number | null = null;
  #endMs: number | null = null;
  #attempts = 0;
  #reason = "";
  /** Failed attempts since the last progress: what the delay grows with. */
  #failuresInRow = 0;

  constructor(phase: Phase, options: PhaseRunnerOptions) {
    this.#phase = phase;
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  status(): PhaseStatus {
    return {
      phase: this.#phase.id,
      state: this.#state,
      startMs: this.#startMs,
      endMs: this.#endMs,
      attempts: this.#attempts,
      reason: this.#reason,
    };
  }

  skip(reason: string): void {
    const now = this.#now();
    this.#startMs = now;
    this.#endMs = now;
    this.#apply("skip", reason);
  }

  /** Makes the first attempt. False: it failed and more are allowed, see {@link retryUntilEnd}. */
  async runFirst(signal: AbortSignal): Promise<boolean> {
    this.#startMs = this.#now();
    this.#attempts = 1;
    this.#apply("start", "");
    return this.#attempt(signal);
  }

  /** Waits and tries again until the phase is done or failed, or the signal is aborted. */
  async retryUntilEnd(signal: AbortSignal): Promise<void> {
    while (this.#state === "retrying") {
      await this.#delay(signal);
      if (signal.aborted) {
        this.cancel(signal.reason);
        return;
      }
      this.#attempts += 1;
      await this.#attempt(signal);
    }
  }

  /** Puts a finished phase back to `retrying`. False when it is not finished. */
  reopen(reason: string): boolean {
    if (this.#state !== "done") return false;
    this.#startMs = this.#now();
    this.#endMs = null;
    this.#failuresInRow = 0;
    this.#apply("lost", reason);
    return true;
  }

  /** Ends a phase that is under way because its sequence was stopped. */
  cancel(why: unknown): void {
    if (this.#state !== "running" && this.#state !== "retrying") return;
    this.#endMs = this.#now();
    this.#apply("cancel", `stopped: ${errorText(why)}`);
  }

  /** True when the phase has ended, one way or the other. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const limit = new AbortController();
    const both = AbortSignal.any([signal, limit.signal]);
    const disarm = this.#armLimit(limit);
    try {
      const reached = await orAborted(this.#phase.run(this.#context(both)), both);
      this.#endMs = this.#now();
      this.#apply("succeed", reached);
      return true;
    } catch (error) {
      if (signal.aborted) {
        this.cancel(signal.reason);
        return true;
      }
      return this.#failed(errorText(error));
    } finally {
      disarm();
    }
  }

  #failed(reason: string): boolean {
    this.#failuresInRow += 1;
    const allowed = this.#phase.retry?.attempts ?? 1;
    if (allowed === "forever" || this.#attempts < allowed) {
      this.#apply("attempt-failed", reason);
      return false;
    }
    this.#endMs = this.#now();
    this.#apply("give-up", reason);
    return true;
  }

  #armLimit(controller: AbortController): () => void {
    const limitMs = this.#phase.attemptLimitMs;
    if (limitMs === undefined) return () => {};
    return this.#options.clock.after(limitMs, () => {
      const waitedFor = this.#reason === "" ? "" : `; last: ${this.#reason}`;
      const message = `no result after ${limitMs / 1000} s${waitedFor}`;
      controller.abort(new AgentError("E_PHASE_TIMEOUT", message));
    });
  }

  /** A context whose attempt is over can no longer change the status. */
  #context(signal: AbortSignal): PhaseContext {
    const attempt = this.#attempts;
    return {
      attempt,
      signal,
      setReason: (text) => {
        if (!signal.aborted && attempt === this.#attempts) this.#setReason(text);
      },
      progress: () => {
        this.#failuresInRow = 0;
      },
    };
  }

  async #delay(signal: AbortSignal): Promise<void> {
    const retry = this.#phase.retry;
    if (retry === undefined) return;
    const delayMs = backoffDelayMs(
      retry.backoff,
      Math.max(1, this.#failuresInRow),
      this.#options.random(),
    );
    const waiting = new AbortController();
    const either = AbortSignal.any([signal, waiting.signal]);
    try {
      await Promise.race([sleep(this.#options.clock, delayMs, either), woken(retry, either)]);
    } catch {
      // Only the cancelled sequence rejects here; the caller looks at the signal.
    } finally {
      waiting.abort();
    }
  }

  #setReason(text: string): void {
    const isUnderWay = this.#state === "running" || this.#state === "retrying";
    if (!isUnderWay || text === this.#reason) return;
    this.#reason = text;
    this.#options.onChange(this.status());
  }

  #apply(event: PhaseEvent, reason: string): void {
    const next = nextPhaseState(this.#state, event);
    if (next === null) {
      throw new AgentError(
        "E_PHASE_TRANSITION",
        `Cannot apply "${event}" to phase ${this.#phase.id}: it is ${this.#state}`,
      );
    }
    this.#state = next;
    this.#reason = reason;
    this.#options.onChange(this.status());
  }

  #now(): number {
    return Math.round(this.#options.clock.monotonicMs());
  }
}

/** Never settles where the policy has no early wake, and never because of a failing one. */
function woken(retry: RetryPolicy, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    retry.wake?.(signal).then(resolve, () => {
      // A wake that fails means only that the full delay is waited.
    });
  });
}
