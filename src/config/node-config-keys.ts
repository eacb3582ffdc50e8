import { parseOpenPort, parseOrigin } from "./node-config-firewall.ts";

/** One value the main configuration file may hold. */
export interface ConfigKey {
  /** Names from the top; `*` is any name. */
  readonly path: readonly string[];
  /** Values allowed, in words. */
  readonly allowed: string;
  readonly isAllowed: (value: unknown) => boolean;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

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
  levels("logging.file.levels"),
  levels("logging.ledis.levels"),
  whole("logging.ledis.size", 1, 1_000_000),
  whole("containers.max_count", 0, 1_000_000),
  flag("stats.enabled"),
  flag("firewall.enabled"),
  key("firewall.allow_from", "an array of interfaces, ADDRESS or ADDRESS/PREFIX", (value) =>
    isListOf(value, (item) => typeof item === "string" && parseOrigin(item) !== undefined),
  ),
  key("firewall.open", "an array of tcp/PORT or udp/PORT", (value) =>
    isListOf(value, (item) => typeof item === "string" && parseOpenPort(item) !== undefined),
  ),
];

function key(path: string, allowed: string, isAllowed: (value: unknown) => boolean): ConfigKey {
  return { path: path.split("."), allowed, isAllowed };
}

function whole(path: string, minimum: number, maximum: number): ConfigKey {
  return key(path, `an integer from ${minimum} to ${maximum}`, (value) =>
    isWhole(value, minimum, maximum),
  );
}

function flag(path: string): ConfigKey {
  return key(path, "true or false", (value) => typeof value === "boolean");
}

function text(path: string): ConfigKey {
  return key(path, "a string", isText);
}

function levels(path: string): ConfigKey {
  return key(path, "an array of integers from 0 to 30", (value) =>
    isListOf(value, (level) => isWhole(level, 0, 30)),
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && /^\/[^\0]*$/.test(value);
}

function isWhole(value: unknown, minimum: number, maximum: number): boolean {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum
  );
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
