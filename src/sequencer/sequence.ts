import type { Clock } from "../base/clock.ts";
import type { Publisher } from "../events/bus.ts";
import type { Phase } from "./phase.ts";
import { PhaseRunner } from "./phase-runner.ts";
import type { PhaseStatus } from "./types.ts";

/** What the engine publishes. */
export interface SequenceEvents {
  "sequence.start": { readonly sequence: string; readonly phases: readonly string[] };
  "sequence.end": {
    readonly sequence: string;
    readonly outcome: SequenceOutcome;
    /** Monotonic, since kernel start. */
    readonly endMs: number;
  };
  /** Every change of a phase: state, attempt or reason. `index` counts from 1. */
  "phase.change": {
    readonly sequence: string;
    readonly index: number;
    readonly total: number;
    readonly status: PhaseStatus;
  };
}

/** How a sequence ended. `failed` and `cancelled` name the phase it got to. */
export type SequenceOutcome =
  | { readonly state: "done" }
  | { readonly state: "failed" | "cancelled"; readonly phase: string; readonly reason: string };

export interface SequenceOptions {
  /** For example `boot`. */
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly clock: Clock;
  readonly events: Publisher<SequenceEvents>;
  /** Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Runs a list of phases in order. It knows nothing of what they do. Retries of background phases
 * and of phases that were lost again go on after `run` has resolved, until its signal is aborted.
 */
export class Sequence {
  readonly #options: SequenceOptions;
  readonly #runners: readonly PhaseRunner[];
  readonly #background = new Set<Promise<void>>();
  #signal: AbortSignal = AbortSignal.abort();
  #finishedMs: number | null = null;

  constructor(options: SequenceOptions) {
    this.#options = options;
    const total = options.phases.length;
    this.#runners = options.phases.map(
      (phase, at) =>
        new PhaseRunner(phase, {
          clock: options.clock,
          random: options.random ?? Math.random,
          onChange: (status) => {
            const change = { sequence: options.name, index: at + 1, total, status };
            options.events.publish("phase.change", change);
          },
        }),
    );
  }

  /** Every phase in order, started or not. */
  timeline(): readonly PhaseStatus[] {
    return this.#runners.map((runner) => runner.status());
  }

  /** Monotonic time at which the last phase was through; null before that and after a failure. */
  finishedMs(): number | null {
    return this.#finishedMs;
  }

  /** Resolves when every phase has been done, skipped or left to the background, or one was fatal. */
  async run(signal: AbortSignal): Promise<SequenceOutcome> {
    this.#signal = signal;
    const { name, events } = this.#options;
    const phases = this.#runners.map((runner) => runner.phase.id);
    events.publish("sequence.start", { sequence: name, phases });
    const outcome = await this.#runPhases(signal);
    const endMs = Math.round(this.#options.clock.monotonicMs());
    if (outcome.state === "done") this.#finishedMs = endMs;
    events.publish("sequence.end", { sequence: name, outcome, endMs });
    return outcome;
  }

  /** Resolves when nothing of this sequence runs any more; only of use after an abort. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  async #runPhases(signal: AbortSignal): Promise<SequenceOutcome> {
    for (const runner of this.#runners) {
      if (signal.aborted) return cancelled(runner, signal);
      await this.#runPhase(runner, signal);
      const { state, reason } = runner.status();
      if (signal.aborted) return cancelled(runner, signal);
      if (state === "failed" && (runner.phase.onFailure ?? "fatal") === "fatal") {
        return { state: "failed", phase: runner.phase.id, reason };
      }
    }
    return { state: "done" };
  }

  async #runPhase(runner: PhaseRunner, signal: AbortSignal): Promise<void> {
    const skipReason = runner.phase.skip?.();
    if (skipReason !== undefined) {
      runner.skip(skipReason);
      return;
    }
    const { background: wish } = runner.phase;
    const background = typeof wish === "function" ? wish() : wish;
    const first = runner.runFirst(signal);
    if (background !== "all") await first;
    const watched = first
      .then((hasEnded) => (hasEnded ? undefined : runner.retryUntilEnd(signal)))
      .then(() => this.#watch(runner));
    if (background === undefined) await watched;
    else this.#inBackground(watched);
  }

  #watch(runner: PhaseRunner): void {
    const { watch } = runner.phase;
    if (watch === undefined || runner.status().state !== "done" || this.#signal.aborted) return;
    const watching = new AbortController();
    const lost = (reason: string): void => {
      if (watching.signal.aborted || this.#signal.aborted || !runner.reopen(reason)) return;
      watching.abort();
      const again = runner.retryUntilEnd(this.#signal).then(() => this.#watch(runner));
      this.#inBackground(again);
    };
    watch(lost, AbortSignal.any([this.#signal, watching.signal]));
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}

function cancelled(runner: PhaseRunner, signal: AbortSignal): SequenceOutcome {
  const why: unknown = signal.reason;
  const reason = why instanceof Error ? why.message : String(why);
  return { state: "cancelled", phase: runner.phase.id, reason };
}
