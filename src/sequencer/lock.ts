import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";

export type SequenceName = "boot" | "reboot" | "poweroff";

/** Which running sequences a new one may interrupt. Nothing interrupts going down. */
const MAY_INTERRUPT: Readonly<Record<SequenceName, readonly SequenceName[]>> = {
  boot: [],
  reboot: ["boot"],
  poweroff: ["boot"],
};

interface Holder {
  readonly name: SequenceName;
  readonly controller: AbortController;
  readonly ended: Promise<unknown>;
}

/**
 * Lets one sequence run at a time. A more important one cancels the holder through its signal and
 * waits for it, but not longer than `waitLimitMs`: a machine that must go down goes down.
 */
export class SequenceLock {
  readonly #clock: Clock;
  readonly #waitLimitMs: number;
  #holder: Holder | undefined;

  constructor(clock: Clock, waitLimitMs = 5000) {
    this.#clock = clock;
    this.#waitLimitMs = waitLimitMs;
  }

  /** Name of the sequence that runs, if any. */
  get current(): SequenceName | undefined {
    return this.#holder?.name;
  }

  /**
   * Runs `work` while holding the lock. Whether it may run is decided before the first wait.
   *
   * @param work Must end soon after its signal is aborted.
   * @throws AgentError `E_SEQUENCE_BUSY` when the running sequence may not be interrupted.
   */
  async run<T>(name: SequenceName, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const loser = this.#holder;
    if (loser !== undefined && !MAY_INTERRUPT[name].includes(loser.name)) {
      throw new AgentError("E_SEQUENCE_BUSY", `Cannot start ${name}: ${loser.name} is under way`);
    }
    const controller = new AbortController();
    const started = Promise.resolve(loser).then(async (other) => {
      if (other !== undefined) await this.#stop(other, name);
      return work(controller.signal);
    });
    const holder: Holder = { name, controller, ended: started.catch(() => {}) };
    this.#holder = holder;
    try {
      return await started;
    } finally {
      if (this.#holder === holder) this.#holder = undefined;
    }
  }

  async #stop(loser: Holder, winner: SequenceName): Promise<void> {
    loser.controller.abort(new AgentError("E_SEQUENCE_CANCELLED", `${winner} takes over`));
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(this.#waitLimitMs, resolve);
      void loser.ended.then(() => {
        cancel();
        resolve();
      });
    });
  }
}
