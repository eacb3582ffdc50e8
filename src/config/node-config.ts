import type { LogLevel } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import { type CacheConfig, DEFAULT_CACHE_CONFIG } from "./node-config-cache.ts";
import { DEFAULT_ENDPOINT_CONFIG, type EndpointConfig } from "./node-config-endpoint.ts";
import { DEFAULT_JOBS_CONFIG, type JobsConfig } from "./node-config-jobs.ts";
import type { ConfigKey } from "./node-config-key.ts";
import { type ACCESSES, CONFIG_KEYS } from "./node-config-keys.ts";
import { DEFAULT_LOGGING_CONFIG, type LoggingConfig } from "./node-config-logging.ts";
import { DEFAULT_METRICS_CONFIG, type MetricsConfig } from "./node-config-metrics.ts";
import type { TomlLines } from "./toml-lines.ts";

/** A program that is a command of the node. */
export interface ExtensionConfig {
  readonly binary: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Who may call it. */
  readonly access: (typeof ACCESSES)[number];
}

/** The main configuration, complete. */
export interface NodeConfig {
  readonly main: {
    readonly max_jobs: number;
    readonly include: readonly string[];
    readonly network: string;
    readonly log_level: LogLevel;
  };
  readonly globals: Readonly<Record<string, string>>;
  readonly extension: Readonly<Record<string, ExtensionConfig>>;
  readonly logging: LoggingConfig;
  /** `max_count` 0 is no limit. */
  readonly containers: { readonly max_count: number };
  readonly stats: { readonly enabled: boolean };
  readonly endpoint: EndpointConfig;
  readonly jobs: JobsConfig;
  readonly metrics: MetricsConfig;
  readonly cache: CacheConfig;
  /** Who reaches the node beside its overlay; `node-config-firewall.ts` reads the words. */
  readonly firewall: {
    readonly enabled: boolean;
    readonly allow_from: readonly string[];
    readonly open: readonly string[];
  };
}

export interface LoadedConfig {
  readonly config: NodeConfig;
  /** One sentence each, with file and line where they are known. */
  readonly problems: readonly string[];
}

export const DEFAULT_NODE_CONFIG: NodeConfig = {
  main: { max_jobs: 524_288, include: [], network: "", log_level: "info" },
  globals: {},
  extension: {},
  logging: DEFAULT_LOGGING_CONFIG,
  containers: { max_count: 0 },
  stats: { enabled: true },
  endpoint: DEFAULT_ENDPOINT_CONFIG,
  jobs: DEFAULT_JOBS_CONFIG,
  metrics: DEFAULT_METRICS_CONFIG,
  cache: DEFAULT_CACHE_CONFIG,
  firewall: { enabled: true, allow_from: [], open: [] },
};

/**
 * Reads the main configuration. A missing file means defaults, and so does every value that cannot
 * be used: nothing in it can stop the boot.
 */
export async function loadNodeConfig(files: Files, file: string): Promise<LoadedConfig> {
  const text = files.readText(file);
  if (text === undefined) {
    const problems = files.exists(file) ? [`Cannot read ${file}: defaults are used`] : [];
    return { config: DEFAULT_NODE_CONFIG, problems };
  }
  // The shipped file holds comments alone: loading the parser for it would only cost boot time.
  if (!hasValues(text)) return { config: DEFAULT_NODE_CONFIG, problems: [] };
  const { parseToml } = await import("./toml-text.ts");
  const parsed = parseToml({ file, text });
  if (parsed.table !== null) return applyConfig(parsed.table, { file, lineOf: parsed.lineOf });
  return { config: DEFAULT_NODE_CONFIG, problems: [`${parsed.problem}, defaults are used`] };
}

function hasValues(text: string): boolean {
  return text.split("\n").some((line) => /^\s*[^\s#[]/.test(line));
}

/**
 * Checks parsed TOML and lays it over the defaults.
 *
 * @param source For the messages.
 */
function applyConfig(
  parsed: Readonly<Record<string, unknown>>,
  source: { readonly file: string; readonly lineOf: TomlLines["lineOf"] },
): LoadedConfig {
  const config = structuredClone(DEFAULT_NODE_CONFIG) as unknown as Record<string, unknown>;
  const problems: string[] = [];
  const complain = (path: readonly string[], seen: string, wanted: string): void => {
    const line = source.lineOf(path);
    const place = line === undefined ? source.file : `${source.file}:${line}`;
    problems.push(`Cannot use ${path.join(".")} in ${place}: ${seen} seen, expected ${wanted}`);
  };
  const walk = (table: Readonly<Record<string, unknown>>, path: readonly string[]): void => {
    for (const [name, value] of Object.entries(table)) {
      const here = [...path, name];
      const below = CONFIG_KEYS.filter(({ path: known }) => startsWith(known, here));
      const key = below.find((candidate) => candidate.path.length === here.length);
      if (key !== undefined) assign(config, here, key, value, complain);
      else if (below.length === 0) complain(here, "an unknown key", oneOf(path));
      else if (isTable(value)) walk(value, here);
      else complain(here, shown(value), "a table");
    }
  };
  walk(parsed, []);
  completeExtensions(config, complain);
  return { config: config as unknown as NodeConfig, problems };
}

/**
 * The configuration as `config.get` shows it, the sections of the wire protocol and no others. Unset maps
 * and lists are null.
 */
export function configToWire(config: NodeConfig): Readonly<Record<string, unknown>> {
  const { main, globals, extension, logging, containers, stats } = config;
  return {
    main: { ...main, include: listOrNull(main.include) },
    globals: mapOrNull(globals),
    extension: mapOrNull(
      Object.fromEntries(
        Object.entries(extension).map(([name, { binary, cwd, env, args }]) => [
          name,
          { binary, cwd, env: mapOrNull(env), args: listOrNull(args) },
        ]),
      ),
    ),
    logger: {
      file: { levels: listOrNull(logging.file.levels) },
      Ledis: { ledis: { levels: listOrNull(logging.ledis.levels) }, size: logging.ledis.size },
    },
    containers,
    stats,
  };
}

type Complain = (path: readonly string[], seen: string, wanted: string) => void;

function assign(
  config: Record<string, unknown>,
  path: readonly string[],
  key: ConfigKey,
  value: unknown,
  complain: Complain,
): void {
  if (!key.isAllowed(value)) {
    complain(path, shown(value), key.allowed);
    return;
  }
  let table = config;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(table, name)) define(table, name, {});
    table = table[name] as Record<string, unknown>;
  }
  define(table, path.at(-1) ?? "", value);
}

/** An extension without program is no command; the other members have defaults. */
function completeExtensions(config: Record<string, unknown>, complain: Complain): void {
  const extensions = config["extension"] as Record<string, Partial<ExtensionConfig>>;
  for (const [name, given] of Object.entries(extensions)) {
    const { binary, cwd = "", env = {}, args = [], access = "admin" } = given;
    if (binary === undefined) {
      complain(["extension", name], "no binary", "the path of a program");
      delete extensions[name];
    } else {
      define(extensions, name, { binary, cwd, env, args, access });
    }
  }
}

/** Names come from a file: `__proto__` must become a member like any other. */
function define(table: object, name: string, value: unknown): void {
  Object.defineProperty(table, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** `*` stands for any name. */
function startsWith(known: readonly string[], here: readonly string[]): boolean {
  return here.every((name, at) => known[at] === name || known[at] === "*");
}

function oneOf(path: readonly string[]): string {
  const names = CONFIG_KEYS.filter(({ path: known }) => startsWith(known, path)).map(
    ({ path: known }) => (known[path.length] === "*" ? "any name" : known[path.length]),
  );
  return `one of ${[...new Set(names)].join(", ")}`;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function shown(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const listOrNull = <T>(list: readonly T[]): readonly T[] | null =>
  list.length === 0 ? null : list;

const mapOrNull = <T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> | null =>
  Object.keys(map).length === 0 ? null : map;
