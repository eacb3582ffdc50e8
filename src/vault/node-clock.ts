import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";

export interface NodeClockOptions {
  readonly log: Logger;
  readonly wallMs: () => number;
  /** Null: the clock belongs to somebody else, and is left alone. @throws AgentError `E_CLOCK`. */
  readonly setWallMs: ((wallMs: number) => Promise<void>) | null;
  /** When the software was made; no time before that is believed. Null where nobody knows. */
  readonly builtAtMs: number | null;
}

/** A clock that is off by less is left alone. */
const TOLERANCE_MS = 2000;
/** A clock that says more than this after the build is not believed: see {@link NodeClock.mayGoBack}. */
const IMPLAUSIBLE_MS = 5 * 365 * 24 * 3600 * 1000;

/** The clock of the machine, set from answers of a controller whose certificate was verified. */
export class NodeClock {
  readonly #options: NodeClockOptions;

  constructor(options: NodeClockOptions) {
    this.#options = options;
  }

  /** Never throws: a wrong clock is not worth more than what it would stop. @returns True when it was set. */
  async adjust(nowMs: number): Promise<boolean> {
    const { log, wallMs, setWallMs, builtAtMs } = this.#options;
    const byMs = nowMs - wallMs();
    if (setWallMs === null || Math.abs(byMs) <= TOLERANCE_MS) return false;
    if (nowMs < (builtAtMs ?? 0) || nowMs > LATEST_MS) {
      log.warn("time of the controller is not believed", { nowMs });
      return false;
    }
    try {
      await setWallMs(nowMs);
    } catch (error) {
      log.error("clock cannot be set", { cause: errorText(error) });
      return false;
    }
    log.warn("clock set to the time of the controller", { byMs });
    return true;
  }

  /**
   * Whether this clock may be set back before the dates of the controller's certificate were checked. Only
   * one that shows years after the build: otherwise whoever has the key of an expired certificate could
   * turn back the clock of any machine until that certificate is valid again.
   */
  get mayGoBack(): boolean {
    const { wallMs, builtAtMs } = this.#options;
    return builtAtMs !== null && wallMs() - builtAtMs > IMPLAUSIBLE_MS;
  }

  wallMs(): number {
    return this.#options.wallMs();
  }
}

/** Year 2200: a time after it is a mistake, and timers of 64-bit nanoseconds end in 2262. */
const LATEST_MS = 7_258_118_400_000;
