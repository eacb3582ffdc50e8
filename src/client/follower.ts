import { isRunning } from "./job-flow.ts";
import type { Channels } from "./pool.ts";
import { retryWhileAway } from "./retry.ts";
import { readStream, type StreamMessage } from "./stream.ts";

/** How long messages may lag behind the result: they travel over another connection. */
const LAG_MS = 2000;

export type OnMessage = (message: StreamMessage) => void | Promise<void>;

/** Reads the messages of one job while something else waits for its result. */
export class Follower {
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #isDone = false;
  #lastMs = 0;

  constructor(
    pool: Channels,
    options: {
      readonly id: string;
      readonly onMessage: OnMessage;
      readonly signal: AbortSignal;
      readonly patienceMs: number;
    },
  ) {
    const signal = AbortSignal.any([options.signal, this.#stop.signal]);
    const job = { id: options.id, signal, patienceMs: options.patienceMs };
    const read = () =>
      pool.use(async (connection) => {
        try {
          await readStream(connection, {
            id: options.id,
            onMessage: async (message) => {
              // While a slow reader has a message in hand, nothing is late.
              this.#lastMs = Number.POSITIVE_INFINITY;
              await options.onMessage(message);
              this.#lastMs = performance.now();
            },
            isRunning: () => isRunning(pool, job),
            signal,
          });
        } finally {
          connection.destroy();
        }
      }, signal);
    this.#reading = retryWhileAway(read, job).finally(() => {
      this.#isDone = true;
    });
    // Reported by finish(); a run that fails before it has an error of its own.
    this.#reading.catch(() => undefined);
  }

  /**
   * Call with the result at hand: waits for the messages that are still on their way.
   *
   * @throws what `onMessage` threw, or why the stream could not be read.
   */
  async finish(): Promise<void> {
    const resultMs = performance.now();
    for (;;) {
      const silentMs = performance.now() - Math.max(resultMs, this.#lastMs);
      if (this.#isDone || silentMs >= LAG_MS) break;
      await this.#waitUntilRead(Math.min(LAG_MS, LAG_MS - silentMs));
    }
    const isComplete = this.#isDone;
    this.stop();
    if (isComplete) await this.#reading;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #waitUntilRead(limitMs: number): Promise<void> {
    // A timer that is left behind would keep the whole program alive.
    const { promise: limit, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([limit, this.#reading.catch(() => undefined)]);
    clearTimeout(timer);
  }
}
