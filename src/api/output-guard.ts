import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Counters } from "./counters.ts";
import type { EndpointLimits } from "./endpoint-limits.ts";

interface OutputGuardOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: EndpointLimits;
  /** The client has taken everything after {@link OutputGuard.isFull} was true. */
  readonly onRoom: () => void;
}

/** Watches over replies a client does not read: first it gets no more, then it is closed. */
export class OutputGuard {
  /** True while no more replies should be made. */
  isFull = false;
  readonly #options: OutputGuardOptions;
  #stopTimer: (() => void) | null = null;

  constructor(options: OutputGuardOptions) {
    this.#options = options;
    options.socket.on("drain", () => {
      if (!this.isFull) return;
      this.isFull = false;
      this.stop();
      options.onRoom();
    });
  }

  /** Call after each write. */
  check(): void {
    const { socket, limits } = this.#options;
    const unsentBytes = socket.writableLength;
    if (unsentBytes <= limits.pauseOutputBytes) return;
    if (unsentBytes > limits.maxOutputBytes) {
      this.#drop();
      return;
    }
    this.isFull = true;
    this.#watch(unsentBytes);
  }

  /** The connection is ending: what is unsent must get away, or it is dropped. */
  expectEnd(): void {
    this.#watch(this.#options.socket.writableLength);
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }

  #watch(unsentBytes: number): void {
    const { clock, limits, socket } = this.#options;
    this.#stopTimer ??= clock.after(limits.stallTimeoutMs, () => {
      this.#stopTimer = null;
      if (socket.writableLength < unsentBytes) this.#watch(socket.writableLength);
      else this.#drop();
    });
  }

  #drop(): void {
    this.#options.counters.slowReadersClosed += 1;
    this.#options.socket.destroy();
  }
}
