import { CommandError } from "../command/command.ts";
import { runTool } from "../sys/proc/run-tool.ts";

/**
 * Runs a helper program on behalf of a built-in and returns its standard output. Its failure becomes
 * the failure of the built-in (wire protocol 5.2).
 *
 * @throws CommandError 1000 + exit status, 999 after a signal (the time limit included), 404 when the
 *   program is not installed; message `(ERROR): [<stdout> <stderr>]`.
 */
export async function runHelper(name: string, args: readonly string[]): Promise<string> {
  const { status, isMissing, stdout, stderr } = await runTool(name, args);
  if (status === 0) return stdout;
  throw new CommandError(resultCode(status, isMissing), `(ERROR): [${stdout} ${stderr}]`);
}

function resultCode(status: number | null, isMissing: boolean): number {
  if (isMissing) return 404;
  return status === null ? 999 : 1000 + status;
}
