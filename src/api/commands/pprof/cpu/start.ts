import { object, string, withDefault } from "../../../../base/schema.ts";
import { cpuProfileOf } from "../../../cpu-profile-of.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "pprof.cpu.start",
  summary: "Starts a profile of what the agent computes; it ends by itself after 10 minutes",
  scope: "host",
  access: "admin",
  result: "null",
  args: object({
    file: withDefault(string({ description: "Path the .cpuprofile is written to" }), ""),
  }),
  run: async (services, { file }) => (await cpuProfileOf(services)).start(file),
});
