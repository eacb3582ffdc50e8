import { pino } from "pino";

/** Fields of one log line. Message texts are constant phrases; everything variable is a field. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  /** A state change. */
  info(message: string, fields?: LogFields): void;
  /** Something went wrong and recovers by itself. */
  warn(message: string, fields?: LogFields): void;
  /** Something that needs a person. */
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry `component`. */
  child(component: string): Logger;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** The logger all others of a process come from. */
export interface RootLogger extends Logger {
  /** From now on, for its children too. */
  setLevel(level: LogLevel): void;
}

/** Takes one finished line, newline included. */
export interface LogSink {
  write(line: string): void;
}

/** Members removed from every line wherever they stand up to one level deep. */
export const REDACTED_FIELDS = ["password", "key", "secret", "token", "stdin"] as const;

/** Opens the agent's logger: one JSON object per line, secrets removed by field name. */
export function openLogger(options: { level: LogLevel; sink: LogSink }): RootLogger {
  const gate: Gate = { rank: RANKS[options.level] };
  const root = pino(
    {
      // The gate decides: loggers of pino take their level once, from their parent.
      level: "debug",
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: REDACTED_FIELDS.flatMap((field) => [field, `*.${field}`]),
        censor: "[removed]",
      },
    },
    options.sink,
  );
  const setLevel = (level: LogLevel): void => {
    gate.rank = RANKS[level];
  };
  return { ...wrap(root, gate), setLevel };
}

const RANKS: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};

/** Lines of a lower rank are not written. */
interface Gate {
  rank: number;
}

interface PinoLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: object): PinoLike;
}

function wrap(target: PinoLike, gate: Gate): Logger {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      if (RANKS[level] >= gate.rank) target[level](fields, message);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (component) => wrap(target.child({ component }), gate),
  };
}
