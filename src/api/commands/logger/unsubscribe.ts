import { object, string, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "logger.unsubscribe",
  summary: "Stops feeding a list of log records; the list stays",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({
    queue: withDefault(string({ description: "key as logger.subscribe returned it" }), ""),
  }),
  run: async ({ records }, { queue }) => {
    if (queue !== "") return records.unsubscribe(queue);
    throw new CommandError(500, "Cannot unsubscribe: an empty queue seen, expected logger:<queue>");
  },
});
