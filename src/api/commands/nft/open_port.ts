import { CommandError } from "../../../command/command.ts";
import { checkPort, firewallOf, portArguments, withNftCode } from "../../firewall-command.ts";
import { builtin, type Services } from "../../services.ts";

export const command = builtin({
  name: "nft.open_port",
  summary: "Accepts a TCP port until the machine goes down",
  scope: "host",
  access: "admin",
  args: portArguments(),
  result: "null",
  run: (services, wanted) => withNftCode(openPort(services, wanted)),
});

async function openPort(
  services: Services,
  wanted: { readonly port: number; readonly interface: string; readonly subnet: string },
): Promise<void> {
  const { portOpening } = await import("../../../network/firewall-openings.ts");
  const firewall = await firewallOf(services);
  const opening = portOpening({ ...wanted, port: checkPort(wanted.port) });
  if (await firewall.hasTcpPort(wanted.port)) {
    throw new CommandError(500, `Cannot open port ${wanted.port}: there is a rule for it already`);
  }
  await firewall.open(opening);
}
