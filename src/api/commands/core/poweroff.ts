import { builtin } from "../../services.ts";

export const command = builtin({
  name: "core.poweroff",
  summary: "Stops all processes in order and switches the machine off",
  scope: "host",
  access: "admin",
  result: "No data; a short notice on standard output",
  level: 0,
  run: async (services, _args, job) => {
    await services.power.poweroff();
    job.emit(1, "The machine stops its processes and powers off\n");
  },
});
