import type { Clock } from "../base/clock.ts";

const FIRST_PORT = 1024;
const LAST_PORT = 65_535;
/** How long a port is kept for whoever asked for it. */
export const RESERVATION_MS = 120_000;

/** Ports of the node that are promised to somebody who has not opened them yet. */
export class PortReservations {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** Port to the time its promise ends. */
  readonly #untilMs = new Map<number, number>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /**
   * Reserves the lowest free ports.
   *
   * @param taken Ports somebody listens on or forwards.
   * @returns Undefined, and none is reserved, when there are not as many.
   */
  reserve(count: number, taken: ReadonlySet<number>): number[] | undefined {
    const nowMs = this.#clock.monotonicMs();
    for (const [port, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs) this.#untilMs.delete(port);
    }
    const found: number[] = [];
    for (let port = FIRST_PORT; port <= LAST_PORT && found.length < count; port += 1) {
      if (!taken.has(port) && !this.#untilMs.has(port)) found.push(port);
    }
    if (found.length < count) return undefined;
    for (const port of found) this.#untilMs.set(port, nowMs + RESERVATION_MS);
    return found;
  }

  /** The port is in use now, and free again when its use ends. */
  release(port: number): void {
    this.#untilMs.delete(port);
  }
}
