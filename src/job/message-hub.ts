import type { JobMessage, JobResult } from "./types.ts";

export interface MessageListener {
  /** Every message of every job, those of level 0 too. Must be quick: jobs wait for it. */
  readonly message?: (message: JobMessage) => void;
  /** Every result, once, when it is published. */
  readonly finished?: (result: JobResult) => void;
}

/**
 * Where log subscriptions, statistics and push messages listen to all jobs. A listener that throws
 * does not keep the others from hearing, nor the job from going on.
 */
export class MessageHub {
  readonly #onError: (error: unknown) => void;
  #listeners: readonly MessageListener[] = [];

  /** @param onError Told when a listener throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** The returned function ends it. */
  listen(listener: MessageListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  message(message: JobMessage): void {
    for (const listener of this.#listeners) {
      try {
        listener.message?.(message);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  finished(result: JobResult): void {
    for (const listener of this.#listeners) {
      try {
        listener.finished?.(result);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
