import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import { COMMON_SIGNALS, parseSignal } from "../signal-names.ts";
import { UsageError } from "../usage-error.ts";

const SIGTERM = 15;

export const kill: CliCommand = {
  name: "kill",
  summary: "Send a signal to a job",
  options: [
    {
      name: "signal",
      short: "s",
      value: "SIGNAL",
      help: `Number or name (TERM); for example ${COMMON_SIGNALS.slice(0, 4).join(", ")}`,
    },
  ],
  operands: [{ name: "ID", help: "Job id, as node0 jobs shows it", isRequired: true }],
  details: ["The signal goes to every process of the job. Built-in commands ignore signals."],
  examples: ["node0 kill 3f0c6c0e-6a0b-4a59-9d3a-0d4a41ccf1b2", "node0 kill build-7 --signal KILL"],
  async run(invocation) {
    const name = invocation.input.text("signal");
    const signal = name === undefined ? SIGTERM : parseSignal(name);
    if (signal === undefined) {
      const wanted = `a number from 1 to 64 or a name like ${COMMON_SIGNALS[0]}`;
      throw new UsageError(`Cannot use --signal "${name}": expected ${wanted}`, "kill");
    }
    const id = invocation.input.operands[0] ?? "";
    const client = await invocation.connect();
    const isKnown = await client.kill(id, signal, invocation.limits);
    if (!isKnown) await invocation.note(`Cannot send signal ${signal}: no job ${id} runs`);
    return isKnown ? EXIT.ok : EXIT.failure;
  },
};
