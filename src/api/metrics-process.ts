import { readdirSync, readFileSync } from "node:fs";
import { counter, gauge, type MetricFamily } from "../metrics/family.ts";
import type { ProcessMonitor } from "../metrics/process-monitor.ts";

/** The agent's own process, under the names Prometheus has for every program. */
export function processMetrics(monitor: ProcessMonitor): MetricFamily[] {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const delay = monitor.loopDelay();
  const collections = [...monitor.collections()];
  const memory = { used: heapUsed, total: heapTotal, external, array_buffers: arrayBuffers };
  return [
    counter(
      "process_cpu_seconds_total",
      "Seconds of processor time of the agent.",
      (user + system) / US_PER_SECOND,
    ),
    gauge("process_resident_memory_bytes", "Memory of the agent in bytes.", rss),
    gauge(
      "process_start_time_seconds",
      "When the agent was started, seconds since the epoch.",
      Date.now() / MS_PER_SECOND - process.uptime(),
    ),
    gauge("process_open_fds", "Open descriptors of the agent.", openDescriptors()),
    gauge("process_max_fds", "Descriptors the agent may open.", maxDescriptors()),
    gauge(
      "node0_agent_heap_bytes",
      "Memory of JavaScript: used and total heap, and what is outside of it.",
      Object.entries(memory).map(([part, value]) => ({ labels: { part }, value })),
    ),
    gauge(
      "node0_agent_loop_delay_seconds",
      "How long the event loop was held up in the last 30 to 60 seconds: median, 99 of 100, longest.",
      Object.entries(delay).map(([rank, value]) => ({ labels: { rank }, value })),
    ),
    counter(
      "node0_agent_gc_total",
      "Garbage collections since metrics are read, by kind.",
      collections.map(([kind, { count }]) => ({ labels: { kind }, value: count })),
    ),
    counter(
      "node0_agent_gc_seconds_total",
      "Seconds of garbage collection since metrics are read, by kind.",
      collections.map(([kind, { seconds }]) => ({ labels: { kind }, value: seconds })),
    ),
  ];
}

const US_PER_SECOND = 1e6;
const MS_PER_SECOND = 1000;

/** Null where there is no /proc. */
function openDescriptors(): number | null {
  try {
    // One of them reads the directory.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return null;
  }
}

function maxDescriptors(): number | null {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
