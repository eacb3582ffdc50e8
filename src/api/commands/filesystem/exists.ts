import { object } from "../../../base/schema.ts";
import { pathArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.exists",
  summary: "Tells whether a path exists; links are followed",
  scope: "both",
  access: "operate",
  args: object({
    path: pathArgument(),
  }),
  result: "boolean: false only for what certainly does not exist",
  run: (services, { path }) => runFileRequest(services, { do: "exists", path }),
});
