import { setImmediate as nextTurn } from "node:timers/promises";

/** Steps (each a few system calls of about 10 µs) between two turns of the event loop. */
const STEPS_PER_TURN = 64;

/**
 * Keeps a long scan of `/proc` from holding up the event loop: `await breather.step()` once per unit
 * of work lets everything else run after every 64 units.
 */
export class Breather {
  #steps = 0;

  async step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps % STEPS_PER_TURN === 0) await nextTurn();
  }
}
