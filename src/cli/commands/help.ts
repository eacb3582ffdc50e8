import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import { formatCommandHelp, formatHelp } from "../help.ts";
import { UsageError } from "../usage-error.ts";

export const help: CliCommand = {
  name: "help",
  summary: "Show help, of one command or of all",
  options: [],
  operands: [{ name: "COMMAND", help: "Command to explain" }],
  examples: ["node0 help", "node0 help run"],
  async run({ input, io, commands }) {
    const name = input.operands[0];
    if (name === undefined) {
      await io.stdout.write(formatHelp(commands));
      return EXIT.ok;
    }
    const command = commands.find((candidate) => candidate.name === name);
    if (command === undefined) throw new UsageError(`Cannot find the command "${name}"`);
    await io.stdout.write(formatCommandHelp(command));
    return EXIT.ok;
  },
};
