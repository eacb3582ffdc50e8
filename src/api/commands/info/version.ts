import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.version",
  summary: "Identifies the build of the agent",
  scope: "both",
  access: "read",
  result: "{branch, revision, dirty}",
  run: ({ version: { branch, revision, dirty } }) => ({ branch, revision, dirty }),
});
