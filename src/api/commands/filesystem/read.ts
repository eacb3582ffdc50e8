import { object } from "../../../base/schema.ts";
import { descriptorArgument, runFileRequest } from "../../file-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "filesystem.read",
  summary: "Reads the next block of at most 512 KiB",
  scope: "both",
  access: "admin",
  args: object({
    fd: descriptorArgument(),
  }),
  result: "string: base64 of the bytes, empty at the end of the file",
  run: (services, { fd }) => runFileRequest(services, { do: "read", fd }),
});
