import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "core.reload",
  summary: "Takes a newer private configuration: password of the endpoint, keys of ssh, network",
  scope: "host",
  access: "admin",
  result:
    "Object of `isRenewed` (a newer revision was fetched from the controller and mounted), `origin` (private, " +
    "kernel or none: where the password in force came from), `isChanged` (it is another one), and `problems`, an " +
    "array of one sentence each. Sessions that are authenticated stay so",
  run: async ({ password }) => {
    if (password) return await password.reload();
    throw new CommandError(
      406,
      "Cannot reload the password: this agent is a guest on a host, expected a machine booted by node0",
    );
  },
});
