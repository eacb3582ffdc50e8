import { CommandError } from "../command/command.ts";
import { runTool, type ToolOutcome } from "../sys/proc/run-tool.ts";

/** What a program of this layer may take; moving the data of a disk takes hours. */
export interface ProgramOptions {
  readonly timeoutMs?: number;
  /** Exit statuses besides 0 that are no failure. */
  readonly accepts?: (status: number) => boolean;
}

/**
 * Runs a program on behalf of a command. Its failure becomes that of the command (wire protocol 5.2).
 *
 * @throws CommandError 1000 + exit status, 999 after a signal (the time limit included), 404 when the
 *   program is not installed; message `(ERROR): [<stdout> <stderr>]`.
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  { timeoutMs = 30_000, accepts = () => false }: ProgramOptions = {},
): Promise<ToolOutcome> {
  const outcome = await runTool(name, args, { timeoutMs });
  const { status, isMissing, stdout, stderr } = outcome;
  if (status === 0 || (status !== null && accepts(status))) return outcome;
  throw new CommandError(codeOf(status, isMissing), `(ERROR): [${stdout} ${stderr}]`);
}

function codeOf(status: number | null, isMissing: boolean): number {
  if (isMissing) return 404;
  return status === null ? 999 : 1000 + status;
}
