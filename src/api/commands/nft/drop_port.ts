import { checkPort, firewallOf, portArguments, withNftCode } from "../../firewall-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "nft.drop_port",
  summary: "Takes back what nft.open_port opened for a TCP port; none is fine",
  scope: "host",
  access: "admin",
  args: portArguments(true),
  result: "null",
  run: async (services, { port }) => {
    const wanted = checkPort(port);
    const firewall = await firewallOf(services);
    await withNftCode(firewall.close((one) => one.kind === "port" && one.port === wanted));
  },
});
