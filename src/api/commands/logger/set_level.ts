import { object, string, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import type { LogLevel } from "../../../log/logger.ts";
import { builtin } from "../../services.ts";

/** Names of the wire protocol; the agent's log knows four of them apart. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  CRITICAL: "error",
  ERROR: "error",
  WARNING: "warn",
  NOTICE: "info",
  INFO: "info",
  DEBUG: "debug",
};

export const command = builtin({
  name: "logger.set_level",
  summary: "Sets how much the agent writes to its own log",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({
    level: withDefault(
      string({ description: `${Object.keys(LEVELS).join(", ")}; in any case` }),
      "",
    ),
  }),
  run: ({ setLogLevel }, { level }) => {
    const name = level.toUpperCase();
    const known = Object.hasOwn(LEVELS, name) ? LEVELS[name] : undefined;
    if (known === undefined) {
      const allowed = Object.keys(LEVELS).join(", ");
      const seen = JSON.stringify(level);
      throw new CommandError(500, `Cannot set log level: ${seen} seen, expected one of ${allowed}`);
    }
    setLogLevel(known);
  },
});
