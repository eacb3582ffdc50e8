import { object } from "../../../../base/schema.ts";
import { linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.bond.del",
  summary: "Deletes a bond; its kind is not checked",
  scope: "both",
  access: "operate",
  args: object({ bond: linkName("Name of the bond") }, ["bond"]),
  result: "null",
  run: async ({ kernelNetwork }, { bond }) => {
    (await kernelNetwork()).apply({ op: "link.delete", name: bond });
  },
});
