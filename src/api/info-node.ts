import type { InfoSection } from "./redis/server-commands.ts";
import type { Services } from "./services.ts";

/** What INFO shows of the node behind the sections of Redis. */
export function nodeSections(
  { boot, network }: Pick<Services, "boot" | "network">,
  jobs: {
    readonly counts: () => Readonly<Record<string, number>>;
    readonly finished: () => Readonly<Record<string, number>>;
  },
): Readonly<Record<string, InfoSection>> {
  const status = network?.status();
  return {
    jobs: {
      ...prefixed("jobs", jobs.counts()),
      ...prefixed("finished", jobs.finished()),
    },
    boot: {
      boot_ms: boot.finishedMs() ?? -1,
      ...Object.fromEntries(
        boot.timeline().map(({ phase, state, attempts, startMs, endMs }) => {
          const took = startMs === null ? -1 : Math.round((endMs ?? startMs) - startMs);
          return [`phase_${phase}`, `state=${state},attempts=${attempts},ms=${took}`];
        }),
      ),
    },
    ...(status === undefined
      ? {}
      : {
          network: {
            network_state: status.state,
            network_method: status.method ?? "none",
            network_round: status.round,
          },
        }),
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, number>>): InfoSection {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}_${name.toLowerCase()}`, value]),
  );
}
