import { AgentError } from "../base/errors.ts";

/** The command line cannot be understood. Ends the tool with exit code 2. */
export class UsageError extends AgentError {
  /** The command whose help says more; undefined: the tool as a whole. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super("E_USAGE", message);
    this.name = "UsageError";
    this.command = command;
  }
}
