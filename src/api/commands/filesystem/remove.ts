import { object } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.remove",
  summary: "Removes a file or a whole tree; a missing one is fine",
  scope: "both",
  access: "admin",
  args: object({
    path: pathArgument(),
  }),
  result: "null",
  run: (services, { path }) => runFileRequest(services, { do: "remove", path }),
});
