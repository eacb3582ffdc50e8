import { cpuProfileOf } from "../../../cpu-profile-of.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "pprof.cpu.stop",
  summary: "Ends the profile of the agent and writes it",
  scope: "host",
  access: "admin",
  result: "null",
  run: async (services) => (await cpuProfileOf(services)).stop(),
});
