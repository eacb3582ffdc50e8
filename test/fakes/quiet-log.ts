import type { LogFields, Logger } from "../../src/log/logger.ts";

/** A logger that only remembers: `[level, message, fields]` for each line. */
export class QuietLog implements Logger {
  readonly lines: [string, string, LogFields][] = [];
  debug = (message: string, fields: LogFields = {}): void => this.#add("debug", message, fields);
  info = (message: string, fields: LogFields = {}): void => this.#add("info", message, fields);
  warn = (message: string, fields: LogFields = {}): void => this.#add("warn", message, fields);
  error = (message: string, fields: LogFields = {}): void => this.#add("error", message, fields);
  child = (): Logger => this;

  #add(level: string, message: string, fields: LogFields): void {
    this.lines.push([level, message, fields]);
  }
}
