import { builtin } from "../../services.ts";

export const command = builtin({
  name: "boot.status",
  summary: "Shows how the machine booted: every phase with its state, times, attempts and reason",
  scope: "host",
  access: "read",
  result:
    "Object with `finished_ms` (milliseconds from kernel start to the end of the last phase, null " +
    "before that) and `phases`, an array of {phase, state, startMs, endMs, attempts, reason}; " +
    "empty on a host",
  run: (services) => ({
    finished_ms: services.boot.finishedMs(),
    phases: services.boot.timeline(),
  }),
});
