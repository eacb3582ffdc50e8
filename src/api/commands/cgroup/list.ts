import { useGroups } from "../../cgroup-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "cgroup.list",
  summary: "Lists the named cgroups by subsystem",
  scope: "host",
  access: "read",
  result: "{cpuset: [name], memory: [name]}; a subsystem without groups is absent",
  run: (services) => useGroups(services, (groups) => groups.list()),
});
