import { builtin } from "../../services.ts";

export const command = builtin({
  name: "core.reboot",
  summary: "Stops all processes in order and reboots the machine",
  scope: "host",
  access: "admin",
  result: "No data; a short notice on standard output",
  level: 0,
  run: async (services, _args, job) => {
    await services.power.reboot();
    job.emit(1, "The machine stops its processes and reboots\n");
  },
});
