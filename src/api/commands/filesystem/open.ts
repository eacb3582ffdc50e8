import { integer, object, string, withDefault } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.open",
  summary: "Opens a file and returns a descriptor, which is closed after 5 minutes without use",
  scope: "both",
  access: "admin",
  args: object({
    file: pathArgument("Path of a regular file; a relative one counts from /"),
    mode: withDefault(
      string({
        description:
          "r, w, a or x, optionally with +; w creates and empties, a creates and appends, x creates what must not exist",
      }),
      "",
    ),
    perm: withDefault(
      integer({ description: "Permission bits of a new file, masked with 0777" }),
      0,
    ),
  }),
  result: "string: the descriptor",
  run: (services, { file, mode, perm }) =>
    runFileRequest(services, { do: "open", path: file, mode, perm }),
});
