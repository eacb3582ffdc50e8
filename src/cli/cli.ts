import { AgentError, errorText } from "../base/errors.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT } from "./exit-code.ts";
import { explainError } from "./explain.ts";
import { formatCommandHelp, formatHelp } from "./help.ts";
import { Invocation } from "./invocation.ts";
import type { Io } from "./io.ts";
import { parseLine } from "./parse.ts";
import { UsageError } from "./usage-error.ts";
import { readVersion } from "./version.ts";

/** Runs the command line tool. @returns its exit code. Never throws. */
export async function runCli(words: readonly string[], io: Io): Promise<number> {
  try {
    const { command, input } = parseLine(words, COMMANDS);
    if (command !== undefined && !input.flag("help")) {
      const invocation = new Invocation(input, io, COMMANDS);
      try {
        return await command.run(invocation);
      } finally {
        invocation.close();
      }
    }
    if (input.flag("version")) await io.stdout.write(`node0 ${await readVersion()}\n`);
    else if (command !== undefined) {
      const special = await command.explain?.(input.operands);
      await io.stdout.write(special ?? formatCommandHelp(command));
    } else await io.stdout.write(formatHelp(COMMANDS));
    return EXIT.ok;
  } catch (error) {
    return await report(error, io);
  }
}

async function report(error: unknown, io: Io): Promise<number> {
  if (error instanceof UsageError) {
    const more = error.command === undefined ? "node0 help" : `node0 help ${error.command}`;
    await io.stderr.write(`node0: ${error.message} (see "${more}")\n`);
    return EXIT.usage;
  }
  const text = error instanceof AgentError ? explainError(error) : errorText(error);
  await io.stderr.write(`node0: ${text}\n`);
  return EXIT.failure;
}
