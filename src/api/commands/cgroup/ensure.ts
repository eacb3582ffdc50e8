import { object } from "../../../base/schema.ts";
import { checkGroupName, GROUP, SUBSYSTEM, useGroups } from "../../cgroup-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "cgroup.ensure",
  summary: "Creates a named cgroup without limits where there is none of that name",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({ subsystem: SUBSYSTEM, name: GROUP }),
  badArguments: 400,
  run: async (services, { subsystem, name }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.ensure(subsystem, name));
  },
});
