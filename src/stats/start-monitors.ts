import type { Clock } from "../base/clock.ts";
import type { EventBus } from "../events/bus.ts";
import type { OwnJobs } from "../job/types.ts";
import type { Logger } from "../log/logger.ts";
import type { SequenceEvents } from "../sequencer/sequence.ts";
import { startMonitors } from "./monitor-jobs.ts";

/** The boot, or who started the agent, is not kept waiting. */
const DELAY_MS = 10_000;

/** Starts the monitors a while after the endpoint was opened: by the boot, or at once on a host. */
export function startMonitorsLater(parts: {
  readonly isHost: boolean;
  readonly events: EventBus<SequenceEvents>;
  readonly ownJobs: OwnJobs;
  readonly clock: Clock;
  readonly log: Logger;
}): void {
  const { isHost, events, ownJobs, clock, log } = parts;
  const start = (): void => {
    clock.after(DELAY_MS, () => startMonitors(ownJobs, log));
  };
  if (isHost) {
    start();
    return;
  }
  let isStarted = false;
  events.on("phase.change", ({ status: { phase, state } }) => {
    if (isStarted || phase !== "api" || state !== "done") return;
    isStarted = true;
    start();
  });
}
