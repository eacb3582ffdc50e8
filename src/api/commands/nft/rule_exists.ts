import { checkPort, firewallOf, portArguments, withNftCode } from "../../firewall-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "nft.rule_exists",
  summary: "Tells whether a rule names a TCP port",
  scope: "host",
  access: "read",
  args: portArguments(true),
  result: "boolean",
  run: async (services, { port }) => {
    const wanted = checkPort(port);
    return withNftCode((await firewallOf(services)).hasTcpPort(wanted));
  },
});
