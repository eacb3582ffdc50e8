import { object } from "../../../base/schema.ts";
import { checkGroupName, GROUP, SUBSYSTEM, useGroups } from "../../cgroup-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "cgroup.reset",
  summary:
    "Takes the limits of a named cgroup away: memory unlimited, processors as in the root group",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({ subsystem: SUBSYSTEM, name: GROUP }),
  badArguments: 400,
  run: async (services, { subsystem, name }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.reset(subsystem, name));
  },
});
