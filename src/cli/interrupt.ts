import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import type { StopSignal } from "./io.ts";

/** Time a job has to end by the signal it was sent, before it is killed. */
const GRACE_MS = 2000;

/** Time after which the tool ends although the job does not. */
const LIMIT_MS = 5000;

/** How often the signal is offered to a job that does not run yet. */
const RETRY_MS = 100;

/**
 * Passes a stop signal (Ctrl-C) on to the job the tool waits for: first as it is, then, after a grace
 * time or at the second one, as SIGKILL.
 */
export class Interrupter {
  readonly #client: Client;
  readonly #id: string;
  readonly #note: (text: string) => Promise<void>;
  readonly #giveUp = new AbortController();
  readonly #ended = new AbortController();
  #first: number | undefined;

  constructor(client: Client, id: string, note: (text: string) => Promise<void>) {
    this.#client = client;
    this.#id = id;
    this.#note = note;
  }

  /** Aborted when waiting for the job has no more use. */
  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** Number of the signal that came first; undefined when none came. */
  get signalNumber(): number | undefined {
    return this.#first;
  }

  /** Call for every signal that arrives. */
  receive(name: StopSignal): void {
    const number = constants.signals[name];
    const isFirst = this.#first === undefined;
    this.#first ??= number;
    void this.#stopJob(isFirst ? number : constants.signals.SIGKILL, isFirst);
  }

  /** Call when the job has ended, so that nothing is sent any more. */
  finish(): void {
    this.#ended.abort();
  }

  async #stopJob(number: number, isFirst: boolean): Promise<void> {
    try {
      await this.#deliver(number);
      if (!isFirst) return;
      await sleep(GRACE_MS, undefined, { signal: this.#ended.signal });
      await this.#deliver(constants.signals.SIGKILL);
      await sleep(LIMIT_MS - GRACE_MS, undefined, { signal: this.#ended.signal });
      await this.#note(`job ${this.#id} does not end; node0 jobs shows it`);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      await this.#note(`Cannot stop job ${this.#id}: ${errorText(error)}`);
    }
    this.#giveUp.abort();
  }

  /** A signal may be faster than the job it is meant for: then it is offered again. */
  async #deliver(number: number): Promise<void> {
    const limits = { timeoutMs: GRACE_MS, signal: this.#ended.signal };
    while (!(await this.#client.kill(this.#id, number, limits))) {
      await sleep(RETRY_MS, undefined, { signal: this.#ended.signal });
    }
  }
}
