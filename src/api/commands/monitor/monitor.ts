import type { Clock } from "../../../base/clock.ts";
import { object, string, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { MONITOR_DOMAINS, type MonitorDomain } from "../../../stats/monitor-jobs.ts";
import type { Sample } from "../../../stats/types.ts";
import { builtin, type Services } from "../../services.ts";

const CPU_INTERVAL_MS = 1000;

export const command = builtin({
  name: "monitor",
  summary: "Takes samples of one domain for the statistics",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({
    domain: withDefault(string({ description: `${MONITOR_DOMAINS.join(", ")}; in any case` }), ""),
  }),
  run: async (services, { domain }, { signal }) => {
    const known = MONITOR_DOMAINS.find((name) => name === domain.toLowerCase());
    if (known === undefined) {
      const allowed = MONITOR_DOMAINS.join(", ");
      const seen = JSON.stringify(domain);
      throw new CommandError(500, `Cannot monitor ${seen}, expected one of ${allowed}`);
    }
    await services.statistics?.feed(await take(known, services, signal));
  },
});

async function take(
  domain: MonitorDomain,
  services: Services,
  signal: AbortSignal,
): Promise<Sample[]> {
  switch (domain) {
    case "disk":
      return (await import("../../../stats/samplers/disk.ts")).sampleDisks();
    case "cpu": {
      const { sampleCpu } = await import("../../../stats/samplers/cpu.ts");
      return sampleCpu(() => pause(services.clock, signal));
    }
    case "memory":
      return (await import("../../../stats/samplers/memory.ts")).sampleMemory();
    case "network": {
      const { sampleNetwork } = await import("../../../stats/samplers/network.ts");
      return sampleNetwork(async () => (await services.kernelNetwork()).observe().links);
    }
  }
}

/** A second, or less when the agent goes down. */
function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(CPU_INTERVAL_MS, end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
