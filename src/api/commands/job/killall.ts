import { builtin } from "../../services.ts";

export const command = builtin({
  name: "job.killall",
  summary: "Sends signal 15 to all jobs that are not protected.",
  scope: "both",
  access: "operate",
  result: "true",
  run: ({ jobs }) => {
    jobs.killAll();
    return true;
  },
});
