import { EXIT, exitCodeOf } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import { writeOutcome } from "../outcome.ts";

export const result: CliCommand = {
  name: "result",
  summary: "Wait for a job and show its result",
  options: [{ name: "wait", isOnByDefault: true, help: "Wait while the job runs" }],
  operands: [{ name: "ID", help: "Job id", isRequired: true }],
  details: [
    "Writes what the job wrote (at most its last 100 messages) and ends with the exit code of\n" +
      "the job; -o json prints the result object. Results are kept for 5 minutes.",
  ],
  examples: [
    "node0 result build-7",
    "node0 result build-7 --no-wait",
    "node0 result build-7 -o json",
  ],
  async run(invocation) {
    const id = invocation.input.operands[0] ?? "";
    const client = await invocation.connect();
    const outcome = invocation.input.flag("wait", true)
      ? await client.wait(id, { timeoutMs: invocation.timeoutMs })
      : await client.peek(id, invocation.limits);
    if (outcome === null) {
      await invocation.note(`job ${id} still runs`);
      return EXIT.failure;
    }
    if (invocation.format === undefined || invocation.format === "table") {
      await writeOutcome(invocation, outcome);
    } else {
      await invocation.print(outcome, () => "");
    }
    return exitCodeOf(outcome);
  },
};
