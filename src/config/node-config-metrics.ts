import { type ConfigKey, isListOf, key } from "./node-config-key.ts";

/** Where Prometheus reads: section `metrics`. */
export interface MetricsConfig {
  /** `ADDRESS:PORT`, `[IPV6]:PORT`, or `overlay:PORT` for the address in the overlay; none: off. */
  readonly listen: readonly string[];
}

export const DEFAULT_METRICS_CONFIG: MetricsConfig = { listen: [] };

export const METRICS_KEYS: readonly ConfigKey[] = [
  key("metrics.listen", "an array of ADDRESS:PORT, [IPV6]:PORT or overlay:PORT", (value) =>
    isListOf(value, isListenWord),
  ),
];

/** An address is checked when it is opened; here only the shape. */
function isListenWord(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const port = Number(/^(?:overlay|[\d.]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(value)?.[1]);
  return port >= 1 && port <= 65_535;
}
