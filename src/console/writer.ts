import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { errorCode } from "../base/errors.ts";

/** The part of a terminal device the writer uses. */
export interface TerminalPort {
  /** Writes what fits now. @returns Bytes taken; 0 when the device is busy. @throws when it is gone. */
  write(bytes: Buffer): number;
  close(): void;
}

export interface ConsoleWriterOptions {
  readonly clock: Clock;
  /** Bytes kept while the device is busy; more is dropped. Default 64 KiB. */
  readonly limitBytes?: number;
}

/** A serial line moves 11 bytes a millisecond; asking it more often is waste. */
const RETRY_MS = 20;

/**
 * Text to a terminal that may be slow or stopped (XOFF). Never blocks the agent: what does not fit is
 * dropped in whole pieces, and the next piece that fits is preceded by a line with their count.
 */
export class ConsoleWriter {
  readonly #port: TerminalPort;
  readonly #clock: Clock;
  readonly #limitBytes: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #isWaiting = false;
  #isGone = false;

  constructor(port: TerminalPort, options: ConsoleWriterOptions) {
    this.#port = port;
    this.#clock = options.clock;
    this.#limitBytes = options.limitBytes ?? 65_536;
  }

  /** Pieces dropped and not yet reported. */
  get dropped(): number {
    return this.#dropped;
  }

  write(text: string): void {
    if (this.#isGone) return;
    const bytes = Buffer.from(this.#dropped === 0 ? text : `${this.#droppedLine()}${text}`);
    if (this.#queuedBytes + bytes.length > this.#limitBytes) {
      this.#dropped += 1;
      return;
    }
    this.#dropped = 0;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (!this.#isWaiting) this.#drain();
  }

  close(): void {
    this.#isGone = true;
    this.#queue = [];
    this.#port.close();
  }

  #drain(): void {
    this.#isWaiting = false;
    try {
      while (!this.#isGone && this.#queue[0] !== undefined) {
        const taken = this.#port.write(this.#queue[0]);
        this.#queuedBytes -= taken;
        const rest = this.#queue[0].subarray(taken);
        if (rest.length === 0) this.#queue.shift();
        else this.#queue[0] = rest;
        if (taken === 0) {
          this.#isWaiting = true;
          this.#clock.after(RETRY_MS, () => this.#drain());
          return;
        }
      }
    } catch {
      // The device is gone (unplugged, hung up). There is nobody left to tell.
      this.#isGone = true;
    }
  }

  #droppedLine(): string {
    return `... ${this.#dropped} pieces of console output dropped ...\r\n`;
  }
}

/** Opens a terminal without making it the controlling one. @throws the system error. */
export function openTerminal(path: string): TerminalPort {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  const descriptor = openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  return {
    write(bytes) {
      try {
        return writeSync(descriptor, bytes);
      } catch (error) {
        if (errorCode(error) === "EAGAIN") return 0;
        throw error;
      }
    },
    close: () => closeSync(descriptor),
  };
}
