import { object } from "../../../../base/schema.ts";
import { CommandError } from "../../../../command/command.ts";
import { findBridge, findLink, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.bridge.delif",
  summary: "Detaches a link from a bridge",
  scope: "both",
  access: "operate",
  args: object(
    { name: linkName("Name of the bridge"), inf: linkName("Name of the link to detach") },
    ["name", "inf"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { name, inf }) => {
    const network = await kernelNetwork();
    const state = network.observe();
    findBridge(state, name);
    const { master } = findLink(state, inf);
    if (master !== name) {
      const seen = master === null ? "it is in none" : `it is in ${master}`;
      throw new CommandError(500, `Cannot detach ${inf} from ${name}: ${seen}`);
    }
    network.apply({ op: "link.set", name: inf, master: null });
  },
});
