import { integer, object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const SIGTERM = 15;
const LARGEST_SIGNAL = 64;

export const command = builtin({
  name: "job.kill",
  summary: "Delivers a signal to a job.",
  scope: "both",
  access: "operate",
  result: "true when handed over, false for an unknown job",
  args: object({
    id: withDefault(string({ description: "Job" }), ""),
    signal: withDefault(
      integer({ description: "Signal number; 0 is 15", minimum: 0, maximum: LARGEST_SIGNAL }),
      SIGTERM,
    ),
  }),
  run: ({ jobs }, { id, signal }) => jobs.kill(id, signal === 0 ? SIGTERM : signal),
});
