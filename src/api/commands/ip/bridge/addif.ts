import { object } from "../../../../base/schema.ts";
import { findBridge, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.bridge.addif",
  summary: "Attaches a link to a bridge",
  scope: "both",
  access: "operate",
  args: object(
    { name: linkName("Name of the bridge"), inf: linkName("Name of the link to attach") },
    ["name", "inf"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { name, inf }) => {
    const network = await kernelNetwork();
    findBridge(network.observe(), name);
    network.apply({ op: "link.set", name: inf, master: name });
  },
});
