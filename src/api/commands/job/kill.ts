import { integer, object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const SIGTERM = 15;
const LARGEST_SIGNAL = 64;
/** A program that does not handle signal 15 is gone before the answer, and no job list shows it. */
const END_WAIT_MS = 250;

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
  run: ({ jobs }, { id, signal }) => {
    const isKnown = jobs.kill(id, signal === 0 ? SIGTERM : signal);
    if (!isKnown || (signal !== 0 && signal !== SIGTERM)) return isKnown;
    return jobs.whenKilled(id, END_WAIT_MS).then(() => true);
  },
});
