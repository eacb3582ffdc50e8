import { AgentError, type ErrorFields } from "../../base/errors.ts";

/** What `node0 private` fails with, but for wrong words (`E_USAGE`) and the controller's answers. */
export function privateError(message: string, fields: ErrorFields = {}): AgentError {
  return new AgentError("E_PRIVATE", message, { fields });
}
