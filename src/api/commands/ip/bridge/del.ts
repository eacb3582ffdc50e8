import { object } from "../../../../base/schema.ts";
import { findBridge, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.bridge.del",
  summary: "Deletes a bridge",
  scope: "both",
  access: "operate",
  args: object({ name: linkName("Name of the bridge") }, ["name"]),
  result: "null",
  run: async ({ kernelNetwork }, { name }) => {
    const network = await kernelNetwork();
    findBridge(network.observe(), name);
    network.apply({ op: "link.delete", name });
  },
});
