import { isIPv4 } from "node:net";
import { type ConfigKey, isListOf, key } from "./node-config-key.ts";

/** Where Prometheus reads: section `metrics`. */
export interface MetricsConfig {
  /**
   * `ADDRESS:PORT` or `[IPV6]:PORT` of a loopback address, or `overlay:PORT` for the addresses in the
   * overlay; none: off. Reading needs no password, so no other address is allowed.
   */
  readonly listen: readonly string[];
}

export const DEFAULT_METRICS_CONFIG: MetricsConfig = { listen: [] };

export const METRICS_KEYS: readonly ConfigKey[] = [
  key(
    "metrics.listen",
    "an array of 127.0.0.1:PORT, [::1]:PORT or overlay:PORT: loopback and overlay alone",
    (value) => isListOf(value, isListenWord),
  ),
];

/** Ports that are to be reached over the overlay. */
export function overlayPorts({ listen }: MetricsConfig): number[] {
  return listen
    .filter((word) => word.startsWith("overlay:"))
    .map((word) => Number(word.slice("overlay:".length)));
}

function isListenWord(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const [, host = "", port = ""] = /^(.+):([1-9]\d{0,4})$/.exec(value) ?? [];
  if (Number(port) > 65_535) return false;
  return host === "overlay" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}
