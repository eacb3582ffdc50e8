import { object, string, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "job.list",
  summary: "Lists running and queued jobs.",
  scope: "both",
  access: "read",
  result: "[{cpu, rss, vms, swap, starttime, cmd, pid}]",
  args: object({
    id: withDefault(string({ description: "Only this job" }), ""),
  }),
  run: ({ jobs }, { id }) => {
    if (id === "") return jobs.list();
    const rows = jobs.list(id);
    if (rows.length === 0) throw new CommandError(500, `no job with id ${id}`);
    return rows;
  },
});
