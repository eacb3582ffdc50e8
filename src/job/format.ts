import type { CommandObject } from "./types.ts";

/** A command object in wire form, as `job.list` shows it (wire protocol 4.2, last paragraph). */
export function formatCommand(command: CommandObject): Record<string, unknown> {
  return {
    id: command.id,
    command: command.command,
    arguments: command.arguments ?? null,
    queue: command.queue,
    ...unlessZero("stats_interval", command.statsInterval),
    ...unlessZero("max_time", command.maxTime),
    ...unlessZero("max_restart", command.maxRestart),
    ...unlessZero("recurring_period", command.recurringPeriod),
    stream: command.stream,
    ...(command.logLevels === null || command.logLevels.length === 0
      ? {}
      : { log_levels: command.logLevels }),
    tags: command.tags,
    ...(command.limits === undefined ? {} : { limits: command.limits }),
  };
}

/**
 * JSON text as the reference encoder writes it: `<`, `>`, `&` and the two line separators of
 * JavaScript are escaped. `undefined` becomes `null` (wire protocol 5 and 5.3).
 *
 * @throws TypeError for a value that JSON cannot hold.
 */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return NEEDS_ESCAPE.test(text) ? text.replace(EACH_ESCAPE, escapeUnit) : text;
}

const NEEDS_ESCAPE = /[<>&\u2028\u2029]/;
const EACH_ESCAPE = /[<>&\u2028\u2029]/g;
const HEX_DIGITS = 4;

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(HEX_DIGITS, "0")}`;
}

function unlessZero(name: string, value: number): Record<string, number> {
  return value === 0 ? {} : { [name]: value };
}
