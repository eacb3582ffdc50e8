import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "net.reload",
  summary:
    "Reads net.toml again and looks for a network from the first method on, in the background",
  scope: "host",
  access: "operate",
  result:
    "Object of `isAccepted` (false: the file has mistakes, nothing was changed) and `problems`, an array of " +
    "one sentence each with file, line, key, value seen and values allowed",
  run: async ({ network }) => {
    if (network !== null) return await network.reload();
    throw new CommandError(
      406,
      "Cannot reload the network: this agent is a guest on a host, expected a machine booted by node0",
    );
  },
});
