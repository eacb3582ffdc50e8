import { object } from "../../../base/schema.ts";
import { asBridgeCommand, bridgeLink } from "../../bridge-command.ts";
import { findLink, linkName } from "../../ip-arguments.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.nic-add",
  summary: "Attaches a link to a bridge",
  scope: "host",
  access: "operate",
  badArguments: 400,
  args: object(
    { name: linkName("Name of the bridge"), nic: linkName("Name of the link to attach") },
    ["name", "nic"],
  ),
  result: "null",
  run: ({ kernelNetwork }, { name, nic }) =>
    asBridgeCommand(async () => {
      const network = await kernelNetwork();
      const state = network.observe();
      bridgeLink(state, name);
      findLink(state, nic, 404);
      network.apply({ op: "link.set", name: nic, master: name });
    }),
});
