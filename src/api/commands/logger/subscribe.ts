import { array, integer, object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "logger.subscribe",
  summary: "Feeds the log records of all jobs into a list",
  scope: "host",
  access: "operate",
  result: "string: key of the list, logger:<queue>",
  args: object({
    queue: withDefault(string({ description: "name of the list; empty: a new one" }), ""),
    levels: withDefault(array(integer(), { description: "message levels; empty: all" }), []),
  }),
  run: ({ records }, { queue, levels }) => records.subscribe(queue, levels),
});
