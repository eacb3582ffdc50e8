import { object } from "../../../base/schema.ts";
import { checkGroupName, GROUP, SUBSYSTEM, useGroups } from "../../cgroup-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "cgroup.remove",
  summary: "Moves the processes of a named cgroup to the root group and removes it",
  scope: "host",
  access: "operate",
  result: "null; also where there is no such group",
  args: object({ subsystem: SUBSYSTEM, name: GROUP }),
  badArguments: 400,
  run: async (services, { subsystem, name }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.remove(subsystem, name));
  },
});
