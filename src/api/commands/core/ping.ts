import { builtin } from "../../services.ts";

export const command = builtin({
  name: "core.ping",
  summary: "Answers, and says which version of the agent does.",
  scope: "both",
  access: "read",
  result:
    "string: PONG Version: <branch> @Revision: <revision>, with (dirty-repo) for a modified tree",
  run: ({ version }) => {
    const { branch, revision, dirty } = version;
    return `PONG Version: ${branch} @Revision: ${revision}${dirty ? " (dirty-repo)" : ""}`;
  },
});
