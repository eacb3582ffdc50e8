import { type ConfigKey, isPath, key, levels, whole } from "./node-config-key.ts";

const REMOTE_FORMATS = ["syslog", "json"] as const;

/** Where messages of jobs go beside the streams of their clients: section `logging`. */
export interface LoggingConfig {
  readonly file: {
    /** Levels written to the file; empty: none. */
    readonly levels: readonly number[];
    /** Empty: `jobs.log` in the state directory. */
    readonly path: string;
    /** Bytes at which a new file is begun, and how many old ones are kept. */
    readonly size: number;
    readonly keep: number;
  };
  /** Lists of `logger.subscribe`. */
  readonly ledis: { readonly levels: readonly number[]; readonly size: number };
  readonly remote: {
    /** `HOST:PORT` or `[IPV6]:PORT`; empty: none. */
    readonly address: string;
    /** syslog: RFC 5424 with octet counting (RFC 6587). json: one object per line. */
    readonly format: (typeof REMOTE_FORMATS)[number];
    /** Levels sent; empty: all. */
    readonly levels: readonly number[];
    /** Bytes kept while the other side is away; the oldest records leave first. */
    readonly buffer: number;
  };
}

const MIB = 1_048_576;

export const DEFAULT_LOGGING_CONFIG: LoggingConfig = {
  file: { levels: [2, 4, 7, 8, 9], path: "", size: 8 * MIB, keep: 3 },
  ledis: { levels: [], size: 50_000 },
  remote: { address: "", format: "syslog", levels: [], buffer: 4 * MIB },
};

export const LOGGING_KEYS: readonly ConfigKey[] = [
  levels("logging.file.levels"),
  key(
    "logging.file.path",
    "an absolute path or an empty string",
    (value) => value === "" || isPath(value),
  ),
  whole("logging.file.size", 65_536, 1024 * MIB),
  whole("logging.file.keep", 0, 100),
  levels("logging.ledis.levels"),
  whole("logging.ledis.size", 1, 1_000_000),
  key("logging.remote.address", "HOST:PORT, [IPV6]:PORT or an empty string", isAddress),
  key("logging.remote.format", `one of ${REMOTE_FORMATS.join(", ")}`, (value) =>
    (REMOTE_FORMATS as readonly unknown[]).includes(value),
  ),
  levels("logging.remote.levels"),
  whole("logging.remote.buffer", 65_536, 1024 * MIB),
];

const LARGEST_PORT = 65_535;

function isAddress(value: unknown): boolean {
  if (value === "") return true;
  const port = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(String(value))?.[1];
  return typeof value === "string" && Number(port) >= 1 && Number(port) <= LARGEST_PORT;
}
