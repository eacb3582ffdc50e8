import { object } from "../../../base/schema.ts";
import { checkGroupName, GROUP, PID, SUBSYSTEM, useGroups } from "../../cgroup-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "cgroup.task-add",
  summary: "Moves a process into a named cgroup; it leaves the one it was in",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({ subsystem: SUBSYSTEM, name: GROUP, pid: PID }),
  badArguments: 400,
  run: async (services, { subsystem, name, pid }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.addTask(subsystem, name, pid));
  },
});
