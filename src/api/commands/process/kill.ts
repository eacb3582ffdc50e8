import { errorCode } from "../../../base/errors.ts";
import { integer, object, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

const args = object(
  {
    pid: integer({ description: "process id, greater than 1" }),
    signal: withDefault(integer({ description: "signal number; 0 only tests for existence" }), 0),
  },
  ["pid"],
);

export const command = builtin({
  name: "process.kill",
  summary: "Sends a signal to one process",
  scope: "both",
  access: "admin",
  args,
  result: "null",
  run: (_services, { pid, signal }) => {
    // 0 and negative numbers address groups of processes, 1 is the init of the machine.
    if (pid <= 1) throw new CommandError(500, `Cannot signal process ${pid}, expected more than 1`);
    try {
      process.kill(pid, signal);
    } catch (error) {
      const reason = errorCode(error) ?? "no reason given";
      throw new CommandError(
        500,
        `Cannot send signal ${signal} to process ${pid}: ${reason}`,
        error,
      );
    }
  },
});
