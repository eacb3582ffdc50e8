import type { Shell } from "../completion.ts";
import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";

/** Named here: what makes the scripts knows every command of the node and is loaded for them alone. */
const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

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
    const { formatCompletion } = await import("../completion.ts");
    await io.stdout.write(formatCompletion(input.operands[0] as Shell, commands));
    return EXIT.ok;
  },
};
