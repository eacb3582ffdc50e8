import { object } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.mkdir",
  summary: "Creates a directory and its missing parents with mode 0755",
  scope: "both",
  access: "admin",
  args: object({
    path: pathArgument(),
  }),
  result: "null",
  run: (services, { path }) => runFileRequest(services, { do: "mkdir", path }),
});
