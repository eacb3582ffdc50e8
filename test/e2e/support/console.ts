import type { Machine } from "../../../scripts/machine/machine.ts";
import { COMMAND_LIMIT_MS } from "../support.ts";

/**
 * Types a command into the shell on the serial line, for a machine that no network reaches.
 *
 * @returns The first match of `answer` in what comes back, the echo of the command included.
 */
export async function typeOnConsole(
  machine: Machine,
  command: string,
  answer: RegExp,
): Promise<string> {
  const fromOffset = machine.serial().length;
  await machine.writeSerial(`${command}\n`);
  const [text] = await machine.waitSerial(answer, { timeoutMs: COMMAND_LIMIT_MS, fromOffset });
  return text;
}
