import type { JobResult } from "../job/types.ts";
import { Handover } from "./handover.ts";
import type { StreamMessage } from "./stream.ts";

/**
 * The messages of a job as a `for await` loop takes them, and its result. Leaving the loop early ends the
 * listening, not the job: `client.wait(id)` still gets its result.
 */
export class JobStream implements AsyncIterable<StreamMessage> {
  readonly id: string;
  readonly #messages: Handover<StreamMessage>;
  readonly #result: Promise<JobResult>;
  #isTaken = false;

  /** @param run Starts the job, hands every message on and resolves with the result. */
  constructor(
    id: string,
    run: (
      onMessage: (message: StreamMessage) => Promise<void>,
      left: AbortSignal,
    ) => Promise<JobResult>,
  ) {
    const left = new AbortController();
    this.id = id;
    this.#messages = new Handover(() => left.abort());
    this.#result = run((message) => this.#messages.put(message), left.signal);
    this.#result.then(
      () => this.#messages.end(),
      (error) => this.#messages.end({ error }),
    );
  }

  /**
   * The result, whatever its state. Asked for after the loop, or instead of one: messages are then left
   * out. Rejects with what ended the loop.
   */
  result(): Promise<JobResult> {
    if (!this.#isTaken) this.#messages.discard();
    return this.#result;
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamMessage> {
    this.#isTaken = true;
    return this.#messages;
  }
}
