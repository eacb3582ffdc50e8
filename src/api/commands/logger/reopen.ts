import { builtin } from "../../services.ts";

export const command = builtin({
  name: "logger.reopen",
  summary: "Begins a new log file of jobs; the old one gets the time as suffix",
  scope: "host",
  access: "operate",
  result: "null",
  run: ({ records }) => records.reopen(),
});
