import { addBridgeHost, hostArguments } from "../../bridge-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.host-add",
  summary: "Keeps an address for one DHCP client of a bridge",
  scope: "host",
  access: "operate",
  args: hostArguments(),
  result: "null",
  run: addBridgeHost,
});
