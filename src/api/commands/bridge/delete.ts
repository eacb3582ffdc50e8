import { object } from "../../../base/schema.ts";
import { asBridgeCommand, bridgesOf } from "../../bridge-command.ts";
import { linkName } from "../../ip-arguments.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.delete",
  summary: "Deletes a bridge with its name server, its NAT and its packet filter rules",
  scope: "host",
  access: "operate",
  args: object({ name: linkName("Name of the bridge") }, ["name"]),
  result: "null",
  run: (services, { name }) =>
    asBridgeCommand(async () => (await bridgesOf(services)).delete(name)),
});
