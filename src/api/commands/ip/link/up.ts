import { object } from "../../../../base/schema.ts";
import { linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.link.up",
  summary: "Brings a link up",
  scope: "both",
  access: "operate",
  args: object({ name: linkName() }, ["name"]),
  result: "null",
  run: async ({ kernelNetwork }, { name }) => {
    (await kernelNetwork()).apply({ op: "link.set", name, isUp: true });
  },
});
