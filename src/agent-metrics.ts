import { RELEASE } from "./agent-version.ts";
import type { Endpoint } from "./api/endpoint.ts";
import type { PushHub } from "./api/push-hub.ts";
import type { Services } from "./api/services.ts";
import type { LoadedConfig } from "./config/node-config.ts";
import type { JobEngine } from "./job/engine.ts";
import type { FinishedCounts } from "./job/finished-counts.ts";
import type { Keyspace } from "./keyspace/keyspace.ts";
import type { Logger } from "./log/logger.ts";

/** Opens what Prometheus reads, if the configuration names an address; resolves with what closes it. */
export async function openAgentMetrics(parts: {
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  readonly problems: readonly string[];
  readonly endpoint: Endpoint;
  readonly engine: JobEngine;
  readonly finished: FinishedCounts;
  readonly keyspace: Keyspace;
  readonly push: PushHub;
  readonly services: Services;
}): Promise<() => void> {
  const { endpoint, engine, finished, keyspace, push, services, problems } = parts;
  const { metrics, main, endpoint: limits } = parts.loaded.config;
  if (metrics.listen.length === 0) return () => {};
  const { openMetrics } = await import("./api/open-metrics.ts");
  const jobs = {
    counts: () => engine.counts(),
    finished: () => finished.byState(),
    maxJobs: main.max_jobs,
  };
  const about = { release: RELEASE, problems, endpoint, maxClients: limits.max_clients };
  return openMetrics(
    metrics,
    { ...about, keyspace, push, jobs, services },
    parts.log.child("metrics"),
  );
}
