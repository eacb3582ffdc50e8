import { object } from "../../../base/schema.ts";
import { bridgeLink } from "../../bridge-command.ts";
import { linkName } from "../../ip-arguments.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.nic-list",
  summary: "Lists the links attached to a bridge",
  scope: "host",
  access: "read",
  badArguments: 400,
  args: object({ name: linkName("Name of the bridge") }, ["name"]),
  result: "array of strings",
  run: async ({ kernelNetwork }, { name }) => {
    const state = (await kernelNetwork()).observe();
    bridgeLink(state, name);
    return state.links.flatMap((link) => (link.master === name ? [link.name] : []));
  },
});
