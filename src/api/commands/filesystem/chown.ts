import { boolean, object, string, withDefault } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.chown",
  summary: "Changes owner and group by their names",
  scope: "both",
  access: "admin",
  args: object({
    path: pathArgument(),
    user: withDefault(string({ description: "Name of /etc/passwd" }), ""),
    group: withDefault(string({ description: "Name of /etc/group" }), ""),
    recursive: withDefault(
      boolean({ description: "The whole tree; failures of single entries are ignored" }),
      false,
    ),
  }),
  result: "null",
  run: (services, { path, user, group, recursive }) =>
    runFileRequest(services, { do: "chown", path, user, group, recursive }),
});
