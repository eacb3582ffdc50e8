import { errorText } from "../base/errors.ts";
import { ownCommand } from "../job/own-command.ts";
import type { OwnJobs } from "../job/types.ts";
import type { Logger } from "../log/logger.ts";

/** What `monitor` takes samples of. */
export const MONITOR_DOMAINS = ["disk", "cpu", "memory", "network"] as const;
export type MonitorDomain = (typeof MONITOR_DOMAINS)[number];

const PERIOD_SECONDS = 30;

/** Starts the recurring jobs `monitor.<domain>` of the node (wire protocol 6.10). */
export function startMonitors(ownJobs: OwnJobs, log: Logger): void {
  for (const domain of MONITOR_DOMAINS) {
    const id = `monitor.${domain}`;
    try {
      const more = { arguments: { domain }, recurringPeriod: PERIOD_SECONDS };
      ownJobs.start(ownCommand(id, "monitor", more));
    } catch (error) {
      // A client may have taken the id; the statistics of this domain are then missing.
      log.warn("monitor cannot be started", { job: id, reason: errorText(error) });
    }
  }
}
