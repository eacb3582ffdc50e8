import { array, map, object, string, withDefault } from "../../../base/schema.ts";
import { program } from "../../services.ts";

export const command = program({
  name: "core.system",
  summary: "Runs one program without a shell and captures its output.",
  scope: "both",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n, 999 after a signal",
  args: object({
    name: withDefault(string({ description: "Program; without a slash it is found in PATH" }), ""),
    args: withDefault(array(string(), { description: "Arguments without the program itself" }), []),
    dir: withDefault(string({ description: "Working directory; empty is /" }), ""),
    env: withDefault(map(string(), { description: "Added to the agent's environment" }), {}),
    stdin: withDefault(string({ description: "Text for standard input" }), ""),
  }),
  build: (args) => ({ ...args, showPid: true }),
});
