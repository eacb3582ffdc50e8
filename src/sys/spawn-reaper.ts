import { constants } from "node:os";
import type { Libc } from "./libc.ts";
import type { ExitStatus } from "./spawn.ts";

/**
 * Collects the exit status of processes that Node.js does not know of.
 *
 * Node.js waits for each of its own children by pid, and so does this class, so neither takes a
 * status from the other. A process usually closes its pipes just before it dies: those at end of
 * file are checked at every SIGCHLD, all others (a background child holds the pipe) seldom.
 */
export class Reaper {
  readonly #libc: Libc;
  readonly #waiting = new Map<number, (exit: ExitStatus) => void>();
  readonly #atEndOfFile = new Set<number>();
  readonly #status = new Int32Array(1);
  #sweep: NodeJS.Timeout | undefined;
  #isSweepNear = false;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  start(): void {
    process.on("SIGCHLD", this.#onSignal);
  }

  stop(): void {
    process.off("SIGCHLD", this.#onSignal);
    clearTimeout(this.#sweep);
  }

  /** Calls `reaped` once, never before this returns. */
  watch(pid: number, reaped: (exit: ExitStatus) => void): void {
    this.#waiting.set(pid, reaped);
    // The process may have died before it was watched, and its signal is gone then.
    this.#sweepSoon();
  }

  /** Says that the process has closed its output: it is most likely dead. */
  expect(pid: number): void {
    if (this.#waiting.has(pid) && !this.#collect(pid)) this.#atEndOfFile.add(pid);
  }

  readonly #onSignal = (): void => {
    for (const pid of this.#atEndOfFile) this.#collect(pid);
    if (this.#waiting.size > this.#atEndOfFile.size) this.#sweepSoon();
  };

  #sweepSoon(): void {
    if (this.#isSweepNear) return;
    this.#isSweepNear = true;
    this.#sweepAfter(SWEEP_MS);
  }

  /** While a process is watched a timer is set: it also keeps the event loop alive. */
  #sweepAfter(delayMs: number): void {
    clearTimeout(this.#sweep);
    this.#sweep = setTimeout(() => {
      this.#isSweepNear = false;
      for (const pid of this.#waiting.keys()) this.#collect(pid);
      if (this.#waiting.size > 0 && !this.#isSweepNear) this.#sweepAfter(SAFETY_SWEEP_MS);
    }, delayMs);
  }

  #collect(pid: number): boolean {
    const result = this.#libc.waitpid(pid, this.#status, WNOHANG);
    if (result === 0) return false;
    const errno = result < 0 ? this.#libc.errno() : 0;
    if (errno === constants.errno.EINTR) return false;
    const reaped = this.#waiting.get(pid);
    this.#waiting.delete(pid);
    this.#atEndOfFile.delete(pid);
    reaped?.(errno === 0 ? parseWaitStatus(this.#status[0] ?? 0) : { code: null, signal: null });
    return true;
  }
}

const WNOHANG = 1;
const SWEEP_MS = 50;
const SAFETY_SWEEP_MS = 1000;

/** Splits a wait status. Source: wait(2), Linux encoding (signal in bits 0-6, code in 8-15). */
export function parseWaitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: null } : { code: null, signal };
}
