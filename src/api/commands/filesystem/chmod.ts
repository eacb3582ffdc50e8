import { boolean, integer, object, withDefault } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.chmod",
  summary: "Changes permission bits",
  scope: "both",
  access: "admin",
  args: object({
    path: pathArgument(),
    mode: withDefault(integer({ description: "Permission bits, masked with 0777" }), 0),
    recursive: withDefault(
      boolean({ description: "The whole tree; failures of single entries are ignored" }),
      false,
    ),
  }),
  result: "null",
  run: (services, { path, mode, recursive }) =>
    runFileRequest(services, { do: "chmod", path, mode, recursive }),
});
