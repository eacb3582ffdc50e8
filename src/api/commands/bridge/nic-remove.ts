import { object } from "../../../base/schema.ts";
import { asBridgeCommand } from "../../bridge-command.ts";
import { findLink, linkName } from "../../ip-arguments.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.nic-remove",
  summary: "Detaches a link from whatever it is attached to",
  scope: "host",
  access: "operate",
  badArguments: 400,
  args: object({ nic: linkName("Name of the link to detach") }, ["nic"]),
  result: "null",
  run: ({ kernelNetwork }, { nic }) =>
    asBridgeCommand(async () => {
      const network = await kernelNetwork();
      const { master } = findLink(network.observe(), nic, 404);
      if (master !== null) network.apply({ op: "link.set", name: nic, master: null });
    }),
});
