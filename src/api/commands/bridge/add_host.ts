import { addBridgeHost, hostArguments } from "../../bridge-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.add_host",
  summary: "Older name of bridge.host-add",
  scope: "host",
  access: "operate",
  args: hostArguments(),
  result: "null",
  run: addBridgeHost,
});
