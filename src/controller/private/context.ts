import type { PrivateController } from "./machine.ts";

/** What each of the commands works with. */
export interface PrivateContext {
  /** Undefined where the words name none. */
  readonly controller: PrivateController | undefined;
  /** One line for the operator. */
  readonly say: (line: string) => void;
  /** Ends the work: nothing half done is left. */
  readonly signal?: AbortSignal;
  /** Default: the clock. */
  readonly nowMs?: number;
}
