import { object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "job.unschedule",
  summary: "Stops further runs of a recurring or restarting job; the current run goes on.",
  scope: "both",
  access: "operate",
  result: "true, or false for an unknown job",
  args: object({
    id: withDefault(string({ description: "Job" }), ""),
  }),
  run: ({ jobs }, { id }) => jobs.unschedule(id),
});
