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

/** Takes one finished line, newline included. */
export interface LogSink {
  write(line: string): void;
}

/** Members removed from every line wherever they stand up to one level deep. */
export const REDACTED_FIELDS = ["password", "key", "secret", "token", "stdin"] as const;

/** Opens the agent's logger: one JSON object per line, secrets removed by field name. */
export function openLogger(options: { level: LogLevel; sink: LogSink }): Logger {
  const root = pino(
    {
      level: options.level,
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
  return wrap(root);
}

interface PinoLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: object): PinoLike;
}

function wrap(target: PinoLike): Logger {
  return {
    debug: (message, fields = {}) => target.debug(fields, message),
    info: (message, fields = {}) => target.info(fields, message),
    warn: (message, fields = {}) => target.warn(fields, message),
    error: (message, fields = {}) => target.error(fields, message),
    child: (component) => wrap(target.child({ component })),
  };
}
