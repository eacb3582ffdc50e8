import { object } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.list",
  summary: "Lists the entries of a directory by name",
  scope: "both",
  access: "operate",
  args: object({
    path: pathArgument(),
  }),
  result: "array of {name, size: bytes, mode: permission bits, is_dir: links are not followed}",
  run: (services, { path }) => runFileRequest(services, { do: "list", path }),
});
