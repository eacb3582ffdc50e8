import type { Clock } from "../base/clock.ts";
import { counter, gauge, type MetricFamily, type MetricSample } from "../metrics/family.ts";
import type { NetworkStatus } from "../network/status.ts";
import type { PhaseState } from "../sequencer/types.ts";
import type { Services } from "./services.ts";

/** Why the machine is as it is: boot phases, network, overlay, statistics. */
export async function nodeMetrics(services: Services): Promise<MetricFamily[]> {
  const { clock, boot, network, overlay, statistics } = services;
  const [overlayFamilies, statisticsFamilies] = await Promise.all([
    overlay === null ? [] : within(overlayMetrics(overlay), clock),
    statistics === null ? [] : within(statisticsMetrics(statistics), clock),
  ]);
  return [
    ...bootMetrics(boot, clock),
    ...(network === null ? [] : networkMetrics(network.status())),
    ...overlayFamilies,
    ...statisticsFamilies,
  ];
}

const STATES: readonly PhaseState[] = [
  "pending",
  "running",
  "retrying",
  "done",
  "skipped",
  "failed",
];

function bootMetrics(boot: Services["boot"], clock: Clock): MetricFamily[] {
  const phases = boot.timeline();
  const nowMs = clock.monotonicMs();
  const finishedMs = boot.finishedMs();
  const states = phases.flatMap(({ phase, state }) =>
    STATES.map((name) => ({ labels: { phase, state: name }, value: name === state ? 1 : 0 })),
  );
  const attempts = phases.map(({ phase, attempts: value }) => ({ labels: { phase }, value }));
  const seconds: MetricSample[] = [];
  for (const { phase, startMs, endMs } of phases) {
    if (startMs === null) continue;
    seconds.push({ labels: { phase }, value: ((endMs ?? nowMs) - startMs) / MS_PER_SECOND });
  }
  return [
    gauge(
      "node0_boot_seconds",
      "Seconds from the start of the kernel to the end of the last boot phase.",
      finishedMs === null ? null : finishedMs / MS_PER_SECOND,
    ),
    gauge("node0_boot_phase_state", "1 for the state a boot phase is in.", states),
    gauge("node0_boot_phase_attempts", "Times a boot phase was tried.", attempts),
    gauge("node0_boot_phase_seconds", "Seconds a boot phase took, or has taken so far.", seconds),
  ];
}

function networkMetrics(status: NetworkStatus): MetricFamily[] {
  const { interfaces, controllers } = status;
  const ofInterfaces = (value: (one: NetworkStatus["interfaces"][number]) => boolean) =>
    interfaces.map((one) => ({ labels: { interface: one.name }, value: value(one) ? 1 : 0 }));
  return [
    gauge("node0_network_up", "1 while a network is in use.", status.state === "up" ? 1 : 0),
    gauge(
      "node0_network_method",
      "1 for the method the network came up with, or that is being tried.",
      status.method === null ? [] : [{ labels: { method: status.method }, value: 1 }],
    ),
    gauge("node0_network_rounds", "Times all methods were gone through.", status.round),
    gauge(
      "node0_network_controller_reached",
      "1 for a controller that was reached at the last try.",
      controllers.map(({ url, isReached }) => ({ labels: { url }, value: isReached ? 1 : 0 })),
    ),
    gauge(
      "node0_network_interface_up",
      "1 for an interface that is switched on.",
      ofInterfaces(({ isUp }) => isUp),
    ),
    gauge(
      "node0_network_interface_carrier",
      "1 for an interface with a signal.",
      ofInterfaces(({ hasCarrier }) => hasCarrier),
    ),
  ];
}

async function overlayMetrics(overlay: NonNullable<Services["overlay"]>): Promise<MetricFamily[]> {
  const [info, networks] = await Promise.all([
    overlay.info().catch(() => null),
    overlay.list().catch(() => []),
  ]);
  const joined = networks.map((network) => ({
    labels: { network: String(network["id"] ?? network["nwid"] ?? "") },
    value: network["status"] === "OK" ? 1 : 0,
  }));
  return [
    gauge(
      "node0_overlay_service_up",
      "1 while the ZeroTier service answers.",
      info === null ? 0 : 1,
    ),
    gauge(
      "node0_overlay_online",
      "1 while the ZeroTier service reaches the world.",
      info?.["online"] === true ? 1 : 0,
    ),
    gauge("node0_overlay_network_ok", "1 for a joined network that lets the node in.", joined),
  ];
}

async function statisticsMetrics(
  statistics: NonNullable<Services["statistics"]>,
): Promise<MetricFamily[]> {
  const states = await statistics.query("", {}).catch(() => ({}));
  const { badLines, refused } = await statistics.counts();
  const values: MetricSample[] = [];
  const times: MetricSample[] = [];
  for (const [name, state] of Object.entries(states).slice(0, MAX_STATISTICS)) {
    const id = state.tags?.find(({ key }) => key === "id")?.value ?? "";
    const metric = id === "" ? name : name.slice(0, -id.length - 1);
    const labels = { metric, id };
    const sample = state.current[SHORT_PERIOD];
    if (sample !== undefined && sample.count > 0) values.push({ labels, value: sample.avg });
    times.push({ labels, value: state.last_time });
  }
  return [
    gauge(
      "node0_statistic",
      "Average of a statistic in the running period of 300 seconds, in its own unit.",
      values,
    ),
    gauge(
      "node0_statistic_last_timestamp_seconds",
      "When a statistic got its last value, seconds since the epoch.",
      times,
    ),
    gauge("node0_statistics", "Statistics there are.", Object.keys(states).length),
    counter("node0_statistics_bad_lines_total", "Lines of jobs that cannot be used.", badLines),
    counter("node0_statistics_refused_total", "Values without room for their statistic.", refused),
  ];
}

/** A service that hangs may cost its own metrics and no others. */
async function within(families: Promise<MetricFamily[]>, clock: Clock): Promise<MetricFamily[]> {
  let cancel = (): void => {};
  const late = new Promise<MetricFamily[]>((resolve) => {
    cancel = clock.after(COLLECT_MS, () => resolve([]));
  });
  try {
    return await Promise.race([families, late]);
  } finally {
    cancel();
  }
}

/** Prometheus gives up after 10 seconds. */
const COLLECT_MS = 5000;
const SHORT_PERIOD = "300";
/** Jobs may name as many as they like. */
const MAX_STATISTICS = 5000;
const MS_PER_SECOND = 1000;
