import { integer, object, withDefault } from "../../../../base/schema.ts";
import { checkGroupName, GROUP, useGroups } from "../../../cgroup-command.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "cgroup.memory.spec",
  summary: "Sets the limits of a named memory cgroup when mem is not 0, and shows them",
  scope: "host",
  access: "operate",
  result: "{mem, swap}: bytes; without a limit mem is 9223372036854771712 and swap 0",
  args: object({
    name: GROUP,
    mem: withDefault(integer({ description: "Bytes; 0 only asks", minimum: 0 }), 0),
    swap: withDefault(integer({ description: "Bytes of swap on top of mem", minimum: 0 }), 0),
  }),
  badArguments: 400,
  run: async (services, { name, mem, swap }) => {
    await checkGroupName(name);
    return useGroups(services, (groups) => groups.memory(name, mem === 0 ? null : { mem, swap }));
  },
});
