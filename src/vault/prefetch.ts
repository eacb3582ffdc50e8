import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { type CiphertextSource, fetchCiphertext, hasCiphertext } from "./ciphertext.ts";

export interface PrefetchOptions extends CiphertextSource {
  readonly clock: Pick<Clock, "monotonicMs">;
}

const AGAIN_MS = 10_000;

/**
 * Fetches the ciphertext while the key is still asked for, or waited for: whoever knows an address of the
 * machine may have it, and it is of no use without the key. Whether it is the right one is not known here;
 * one that is not is fetched again when the key is there.
 */
export class Prefetch {
  readonly #options: PrefetchOptions;
  #running: Promise<void> | undefined;
  #control = new AbortController();
  #unpacked: string | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: PrefetchOptions) {
    this.#options = options;
  }

  /** Nothing when one is running, there is a ciphertext, or the last one began less than 10 s ago. */
  begin(mac: string, signal: AbortSignal): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#running !== undefined || nowMs - this.#lastMs < AGAIN_MS) return;
    if (mac === "" || hasCiphertext(this.#options)) return;
    this.#lastMs = nowMs;
    this.#control = new AbortController();
    const both = AbortSignal.any([signal, this.#control.signal]);
    this.#running = this.#fetch(mac, both).finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when none is running, with the SHA-256 of what was fetched since the last call. */
  async ended(): Promise<string | undefined> {
    await this.#running;
    const unpacked = this.#unpacked;
    this.#unpacked = undefined;
    return unpacked;
  }

  /** Nobody waits for it any more. */
  stop(): void {
    this.#control.abort();
  }

  /** What is wrong is told when the ciphertext is needed. */
  async #fetch(mac: string, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    try {
      this.#unpacked = await fetchCiphertext({ ...this.#options, mac, signal });
    } catch (error) {
      log.debug("ciphertext was not fetched ahead", { cause: errorText(error) });
    }
  }
}
