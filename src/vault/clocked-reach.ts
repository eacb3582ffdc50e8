import type { Clock } from "../base/clock.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import type { Logger } from "../log/logger.ts";
import type { Reach, ReachRequest, ReachResult } from "../network/reach.ts";
import type { Files } from "../sys/files.ts";
import { readControllerTime } from "./controller-time.ts";
import type { NodeClock } from "./node-clock.ts";

export interface ClockedReachOptions {
  /** The strict check. */
  readonly reach: Reach;
  readonly controllers: readonly ControllerConfig[];
  readonly nodeClock: NodeClock;
  readonly clock: Clock;
  readonly files: Pick<Files, "readText">;
  readonly log: Logger;
}

/**
 * A {@link Reach} that sets a wrong clock right: when no controller is reached and the dates of a certificate
 * are why, the time is asked of that controller, and the strict check runs again. What counts as reached is
 * decided by the strict check alone.
 */
export class ClockedReach implements Reach {
  readonly #options: ClockedReachOptions;
  readonly controllers: number;
  readonly probes: number;

  constructor(options: ClockedReachOptions) {
    this.#options = options;
    this.controllers = options.reach.controllers;
    this.probes = options.reach.probes;
  }

  prepare(): void {
    this.#options.reach.prepare();
  }

  async try(request: ReachRequest): Promise<readonly ReachResult[]> {
    const { reach } = this.#options;
    const results = await reach.try(request);
    if (results.some(({ isReached }) => isReached)) return results;
    return (await this.#setClock(request, results)) ? reach.try(request) : results;
  }

  async #setClock(request: ReachRequest, results: readonly ReachResult[]): Promise<boolean> {
    const { controllers, nodeClock, clock, files, log } = this.#options;
    const { address, limitMs, signal } = request;
    for (const controller of controllers) {
      const reason = results.find(({ target }) => target === controller.url)?.reason ?? "";
      if (!reason.includes(CLOCK_DOUBT)) continue;
      const asked = { controller, address, limitMs, clock, files, signal };
      const timeMs = await readControllerTime(asked);
      signal.throwIfAborted();
      if (timeMs === undefined) continue;
      if (timeMs < nodeClock.wallMs() && !nodeClock.mayGoBack) {
        log.warn("clock is not set back", { controller: controller.url, timeMs });
        continue;
      }
      if (await nodeClock.adjust(timeMs)) return true;
    }
    return false;
  }
}

/** As `plainTlsReason` words it. */
const CLOCK_DOUBT = "or the clock is wrong";
