import { any, object, string } from "../../base/schema.ts";
import { buildExtension } from "../../job/extension.ts";
import { program } from "../services.ts";

const BASH = { binary: "sh", args: ["-c", "{script}"], cwd: "", env: {} };

export const command = program({
  name: "bash",
  summary: "Runs a script with the shell of the node.",
  scope: "both",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n, 999 after a signal",
  args: object({
    script: any({ description: "Script text" }),
    stdin: string({ description: "Text for standard input" }),
  }),
  build: (args) => buildExtension(BASH, args),
});
