import { object, string, withDefault } from "../../../base/schema.ts";
import { descriptorArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.write",
  summary: "Writes a block at the current position",
  scope: "both",
  access: "admin",
  args: object({
    fd: descriptorArgument(),
    block: withDefault(string({ description: "Base64; line breaks are skipped" }), ""),
  }),
  result: "null",
  run: (services, { fd, block }) => runFileRequest(services, { do: "write", fd, block }),
});
