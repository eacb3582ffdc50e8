import { firewallOf, withNftCode } from "../../firewall-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "nft.list",
  summary: "Lists the rules for packets to the node itself",
  scope: "host",
  access: "read",
  result: "array of strings such as `tcp dport 22 accept`; null where there is no rule",
  run: async (services) => {
    const rules = await withNftCode((await firewallOf(services)).list());
    return rules.length === 0 ? null : rules;
  },
});
