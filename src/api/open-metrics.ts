import { errorText } from "../base/errors.ts";
import type { MetricsConfig } from "../config/node-config-metrics.ts";
import type { Logger } from "../log/logger.ts";
import { gauge, type MetricFamily } from "../metrics/family.ts";
import { MetricsServer } from "../metrics/metrics-server.ts";
import { ProcessMonitor } from "../metrics/process-monitor.ts";
import { renderMetrics } from "../metrics/text.ts";
import {
  type EndpointSources,
  endpointMetrics,
  type JobSources,
  jobMetrics,
  keyspaceMetrics,
} from "./metrics-endpoint.ts";
import { MetricsListeners } from "./metrics-listen.ts";
import { nodeMetrics } from "./metrics-node.ts";
import { processMetrics } from "./metrics-process.ts";
import { recordMetrics } from "./metrics-records.ts";
import type { Services } from "./services.ts";

export interface MetricsSources extends EndpointSources {
  readonly jobs: JobSources;
  readonly services: Services;
  /** Release of node0. */
  readonly release: string;
  /** What could not be used of the configuration. */
  readonly problems: readonly string[];
}

/**
 * Opens what Prometheus reads. Loaded only when the configuration names an address.
 *
 * @returns Closes it.
 */
export async function openMetrics(
  config: MetricsConfig,
  sources: MetricsSources,
  log: Logger,
): Promise<() => void> {
  const { clock } = sources.services;
  const monitor = new ProcessMonitor(clock);
  const server = new MetricsServer({
    render: () => renderNode(sources, monitor),
    onError: (error) => log.error("metrics cannot be collected", { reason: errorText(error) }),
  });
  const listeners = new MetricsListeners({
    words: config.listen,
    clock,
    log,
    listen: (host, port) => server.listen(host, port),
  });
  monitor.start();
  await listeners.start();
  return () => {
    listeners.stop();
    server.stop();
    monitor.stop();
  };
}

async function renderNode(sources: MetricsSources, monitor: ProcessMonitor): Promise<string> {
  const { services } = sources;
  const startedMs = services.clock.monotonicMs();
  const families = [
    ...aboutNode(sources),
    ...endpointMetrics(sources),
    ...keyspaceMetrics(sources),
    ...jobMetrics(sources.jobs),
    ...processMetrics(monitor),
    ...(await nodeMetrics(services)),
    ...(await recordMetrics(services.records)),
  ];
  const seconds = (services.clock.monotonicMs() - startedMs) / MS_PER_SECOND;
  const last = gauge("node0_scrape_seconds", "Seconds it took to collect all this.", seconds);
  return renderMetrics([...families, last]);
}

function aboutNode({ services, release, problems }: MetricsSources): MetricFamily[] {
  const { branch, revision } = services.version;
  const labels = { version: release, branch, revision };
  return [
    gauge("node0_build_info", "1, with what the agent was built from.", [{ labels, value: 1 }]),
    gauge(
      "node0_configuration_problems",
      "What could not be used of kernel command line and configuration.",
      problems.length,
    ),
  ];
}

const MS_PER_SECOND = 1000;
