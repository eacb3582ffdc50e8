import type { CommandObject } from "./types.ts";

/**
 * The command object of a job that the node starts itself.
 *
 * @param more Members that differ from what a client gets who names none.
 */
export function ownCommand(
  id: string,
  command: string,
  more: Partial<CommandObject> = {},
): CommandObject {
  return {
    id,
    command,
    arguments: {},
    queue: "",
    maxTime: 0,
    maxRestart: 0,
    recurringPeriod: 0,
    stream: false,
    statsInterval: 0,
    logLevels: null,
    tags: null,
    ...more,
  };
}
