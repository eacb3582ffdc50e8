import { CACHE_KEYS } from "./node-config-cache.ts";
import { ENDPOINT_KEYS } from "./node-config-endpoint.ts";
import { parseOpenPort, parseOrigin } from "./node-config-firewall.ts";
import { JOBS_KEYS } from "./node-config-jobs.ts";
import {
  type ConfigKey,
  flag,
  isListOf,
  isPath,
  isText,
  key,
  text,
  whole,
} from "./node-config-key.ts";
import { LOGGING_KEYS } from "./node-config-logging.ts";
import { METRICS_KEYS } from "./node-config-metrics.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** Who may call an extension; what the words mean stands with `Access` of commands. */
export const ACCESSES = ["read", "operate", "admin"] as const;

/** Every key there is; anything else in the file is reported. */
export const CONFIG_KEYS: readonly ConfigKey[] = [
  whole("main.max_jobs", 1, 16_777_216),
  key("main.include", "an array of absolute paths", (value) => isListOf(value, isPath)),
  key(
    "main.network",
    "an absolute path or an empty string",
    (value) => value === "" || isPath(value),
  ),
  key("main.log_level", `one of ${LOG_LEVELS.join(", ")}`, (value) =>
    (LOG_LEVELS as readonly unknown[]).includes(value),
  ),
  text("globals.*"),
  key("extension.*.binary", "the path of a program", (value) => isText(value) && value !== ""),
  text("extension.*.cwd"),
  text("extension.*.env.*"),
  key("extension.*.args", "an array of strings", (value) => isListOf(value, isText)),
  key("extension.*.access", `one of ${ACCESSES.join(", ")}`, (value) =>
    (ACCESSES as readonly unknown[]).includes(value),
  ),
  whole("containers.max_count", 0, 1_000_000),
  flag("stats.enabled"),
  ...ENDPOINT_KEYS,
  ...JOBS_KEYS,
  ...METRICS_KEYS,
  ...LOGGING_KEYS,
  ...CACHE_KEYS,
  flag("firewall.enabled"),
  key("firewall.allow_from", "an array of interfaces, ADDRESS or ADDRESS/PREFIX", (value) =>
    isListOf(value, (item) => typeof item === "string" && parseOrigin(item) !== undefined),
  ),
  key("firewall.open", "an array of tcp/PORT or udp/PORT", (value) =>
    isListOf(value, (item) => typeof item === "string" && parseOpenPort(item) !== undefined),
  ),
];
