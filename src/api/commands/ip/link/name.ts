import { object } from "../../../../base/schema.ts";
import { linkName, newLinkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.link.name",
  summary: "Renames a link; some drivers and older kernels want it down for that",
  scope: "both",
  access: "operate",
  args: object({ name: linkName(), new: linkName("Its new name") }, ["name", "new"]),
  result: "null",
  run: async ({ kernelNetwork }, { name, new: newName }) => {
    (await kernelNetwork()).apply({ op: "link.set", name, newName: newLinkName(newName) });
  },
});
