import { formatCompletion, SHELLS, type Shell } from "../completion.ts";
import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";

export const completion: CliCommand = {
  name: "completion",
  summary: "Print a completion script for a shell",
  options: [],
  operands: [{ name: "SHELL", help: "Shell", isRequired: true, choices: SHELLS }],
  examples: [
    'eval "$(node0 completion bash)"          # in ~/.bashrc',
    "node0 completion zsh > ~/.zfunc/_node0   # a directory in fpath",
    "node0 completion fish > ~/.config/fish/completions/node0.fish",
  ],
  async run({ input, io, commands }) {
    await io.stdout.write(formatCompletion(input.operands[0] as Shell, commands));
    return EXIT.ok;
  },
};
