import type { JobResult } from "../../client/client.ts";
import { isJsonResult, resultValue } from "../../client/result.ts";
import { exitCodeOf } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Invocation } from "../invocation.ts";
import { writeOutcome } from "../outcome.ts";
import { formatValue } from "../render.ts";
import { readText } from "../stdin-text.ts";
import { UsageError } from "../usage-error.ts";

export const call: CliCommand = {
  name: "call",
  summary: "Run any command of the node",
  options: [{ name: "full", help: "Print the whole result object, not only the value" }],
  operands: [
    { name: "COMMAND", help: "Name of the command, for example info.mem", isRequired: true },
    { name: "JSON", help: "Its arguments as a JSON object; - reads them from standard input" },
  ],
  details: [
    "Prints the value the command returns, as JSON unless -o says otherwise. A command that\n" +
      "returns none (core.system) passes on what its program wrote. The exit code is that of the job.",
    '"node0 call COMMAND --help" shows the arguments of a command.',
  ],
  examples: [
    "node0 call info.mem",
    "node0 call bridge.create --help",
    `node0 call core.system '{"name":"uname","args":["-a"]}'`,
    "node0 call process.list -o table",
    "node0 call bash - < arguments.json",
  ],
  async explain([name]) {
    if (name === undefined) return undefined;
    const { explainCommand } = await import("../explain-command.ts");
    return explainCommand(name);
  },
  async run(invocation) {
    const [command = "", text] = invocation.input.operands;
    const args = await readArguments(text, invocation);
    const client = await invocation.connect();
    const result = await client.run(command, args, { timeoutMs: invocation.timeoutMs });
    await printResult(invocation, result);
    return exitCodeOf(result);
  },
};

async function printResult(invocation: Invocation, result: JobResult): Promise<void> {
  if (invocation.input.flag("full")) {
    await invocation.print(result, () => formatValue(result, invocation.paint), "json");
  } else if (result.state === "SUCCESS" && isJsonResult(result)) {
    const value = resultValue(result);
    await invocation.print(value, () => formatValue(value, invocation.paint), "json");
  } else {
    await writeOutcome(invocation, result);
  }
}

async function readArguments(text: string | undefined, invocation: Invocation): Promise<unknown> {
  if (text === undefined) return {};
  const json = text === "-" ? await readText(invocation.io, "-") : text;
  try {
    return JSON.parse(json);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new UsageError(`Cannot read the arguments as JSON: ${why}`, "call");
  }
}
