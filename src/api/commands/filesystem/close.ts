import { object } from "../../../base/schema.ts";
import { descriptorArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.close",
  summary: "Closes a descriptor; an unknown one is fine",
  scope: "both",
  access: "admin",
  args: object({
    fd: descriptorArgument(),
  }),
  result: "null",
  run: (services, { fd }) => runFileRequest(services, { do: "close", fd }),
});
