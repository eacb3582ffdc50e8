import type { MessageListener } from "./message-hub.ts";
import type { JobResult, JobState } from "./types.ts";

/** How the jobs since the start of the agent have ended. */
export class FinishedCounts implements MessageListener {
  readonly #byState: Record<JobState, number> = {
    SUCCESS: 0,
    ERROR: 0,
    TIMEOUT: 0,
    UNKNOWN_CMD: 0,
  };

  finished({ state }: JobResult): void {
    this.#byState[state] += 1;
  }

  byState(): Readonly<Record<JobState, number>> {
    return this.#byState;
  }
}
