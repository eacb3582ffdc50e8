import { builtin } from "../../services.ts";

export const command = builtin({
  name: "config.get",
  summary: "Shows the main configuration of the node",
  scope: "host",
  access: "read",
  result: "Object with main, globals, extension, logger, containers and stats",
  run: (services) => services.config(),
});
