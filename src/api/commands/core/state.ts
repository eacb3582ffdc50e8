import { UsageMeter, withDescendants } from "../../../sys/proc/usage.ts";
import { builtin, type Services } from "../../services.ts";

/** One meter per agent: it remembers the previous query. */
const meters = new WeakMap<Services, UsageMeter>();

export const command = builtin({
  name: "core.state",
  summary: "Sums up what the agent and all running jobs use",
  scope: "both",
  access: "read",
  result:
    "{cpu: percent of one CPU since the previous query (0 at the first), rss, vms, swap in bytes}",
  run: async (services) => {
    const pids = await withDescendants(services.jobs.pids());
    return meterOf(services).measure(pids.add(process.pid), services.clock.monotonicMs());
  },
});

function meterOf(services: Services): UsageMeter {
  const meter = meters.get(services) ?? new UsageMeter();
  meters.set(services, meter);
  return meter;
}
