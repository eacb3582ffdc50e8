import { object } from "../../../base/schema.ts";
import { checkGroupName, GROUP, SUBSYSTEM, useGroups } from "../../cgroup-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "cgroup.tasks",
  summary: "Lists the processes in a named cgroup",
  scope: "host",
  access: "read",
  result: "[pid]",
  args: object({ subsystem: SUBSYSTEM, name: GROUP }),
  badArguments: 400,
  run: async (services, { subsystem, name }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.tasks(subsystem, name));
  },
});
