import { object } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.move",
  summary: "Renames within one file system",
  scope: "both",
  access: "admin",
  args: object({
    path: pathArgument(),
    destination: pathArgument("Full path of the target, not of its directory"),
  }),
  result: "null",
  run: (services, { path, destination }) =>
    runFileRequest(services, { do: "move", path, destination }),
});
