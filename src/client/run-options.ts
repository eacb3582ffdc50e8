import type { OnMessage } from "./follower.ts";
import type { Limits } from "./limits.ts";
import type { Submission } from "./submission.ts";

export interface WaitOptions extends Limits {
  /** Milliseconds to wait for a node that went away; default 30000, 0 gives up at once. */
  readonly patienceMs?: number | undefined;
}

export interface RunOptions extends WaitOptions, Submission {
  /** Gets every message while the job runs; switches `stream` on. */
  readonly onMessage?: OnMessage | undefined;
  /** Called once the node has confirmed that the command reached it. */
  readonly onSubmitted?: (() => void) | undefined;
}
