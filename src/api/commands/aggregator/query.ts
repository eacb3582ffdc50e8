import { map, object, string, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

/** Known only where statistics are enabled. */
export const command = builtin({
  name: "aggregator.query",
  summary: "Shows what the statistics of jobs and node add up to",
  scope: "host",
  access: "read",
  result:
    "object of `<metric>` or `<metric>/<id>` to {op, last_value, last_time, tags, current, history}; current and " +
    "history by period (300, 3600) of {avg, total, max, count, start}",
  args: object({
    key: withDefault(string({ description: "exact metric; empty: all" }), ""),
    tags: withDefault(map(string(), { description: "pairs that must all be there" }), {}),
  }),
  run: ({ statistics }, { key, tags }) => {
    if (statistics !== null) return statistics.query(key, tags);
    throw new CommandError(500, "Cannot show statistics: stats.enabled is false");
  },
});
