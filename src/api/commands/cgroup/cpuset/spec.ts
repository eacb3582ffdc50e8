import { object, string, withDefault } from "../../../../base/schema.ts";
import { checkGroupName, GROUP, useGroups } from "../../../cgroup-command.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "cgroup.cpuset.spec",
  summary: "Sets processors and memory nodes of a named cpuset cgroup, and shows them",
  scope: "host",
  access: "operate",
  result: "{cpus, mems}: lists such as 0,2-4; those of the root group where none are set",
  args: object({
    name: GROUP,
    cpus: withDefault(string({ description: "Processors; empty leaves them" }), ""),
    mems: withDefault(string({ description: "Memory nodes; empty leaves them" }), ""),
  }),
  badArguments: 400,
  run: async (services, { name, cpus, mems }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.cpuset(name, { cpus, mems }));
  },
});
