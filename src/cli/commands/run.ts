import { randomUUID } from "node:crypto";
import { errorCode } from "../../base/errors.ts";
import type { Client, JobResult, RunOptions } from "../../client/client.ts";
import { EXIT, exitCodeOf, exitCodeOfSignal } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Input } from "../input.ts";
import { Interrupter } from "../interrupt.ts";
import type { Invocation } from "../invocation.ts";
import { messageWriter } from "../message-writer.ts";
import { explainFailure, writeOutcome } from "../outcome.ts";
import { readText } from "../stdin-text.ts";
import { UsageError } from "../usage-error.ts";

const SECONDS_PER_YEAR = 31_536_000;

export const run: CliCommand = {
  name: "run",
  summary: "Run a program on the machine",
  isWrapper: true,
  options: [
    { name: "stream", isOnByDefault: true, help: "Show output while the program runs" },
    { name: "dir", value: "DIR", help: "Working directory on the machine (/)" },
    {
      name: "env",
      short: "e",
      value: "NAME=VALUE",
      isRepeatable: true,
      help: "Add to its environment",
    },
    {
      name: "stdin",
      value: "FILE",
      kind: "file",
      help: "Its standard input; - takes that of node0",
    },
    {
      name: "max-time",
      value: "SECONDS",
      kind: "integer",
      maximum: SECONDS_PER_YEAR,
      help: "Kill it on the machine after this time",
    },
    { name: "tag", value: "TAG", isRepeatable: true, help: "Mark the job and its result" },
    { name: "queue", value: "NAME", help: "Run after the jobs already in this queue" },
    { name: "id", value: "ID", help: "Job id, else a random one" },
    { name: "detach", short: "d", help: "Print the job id and do not wait" },
  ],
  operands: [
    { name: "CMD", help: "Program, looked up in the machine's PATH", isRequired: true },
    { name: "ARG", help: "Its arguments, passed on as they are", isRest: true },
  ],
  details: [
    "Exit code: that of the program; 124 when --max-time ended it, 126 when it could not be\n" +
      "started, 127 when there is no such program, 137 when a signal ended it.\n" +
      "Ctrl-C stops the program on the machine and ends with 130.",
    "With -o json or yaml the result object is printed when the job has ended.\n" +
      "Output travels as text: bytes that are not UTF-8 arrive as U+FFFD.",
  ],
  examples: [
    "node0 run -- uname -a",
    "node0 run --dir /etc --env LANG=C -- sh -c 'ls | wc -l'",
    "node0 run --stdin - -- sort < names.txt",
    "node0 run --detach --queue builds --id build-7 -- make",
  ],
  async run(invocation) {
    const { input } = invocation;
    const args = await buildArguments(invocation);
    const options: RunOptions & { id: string } = {
      id: input.text("id") ?? randomUUID(),
      queue: input.text("queue"),
      maxTimeS: input.number("max-time"),
      tags: input.has("tag") ? input.list("tag") : undefined,
      timeoutMs: invocation.timeoutMs,
    };
    const client = await invocation.connect();
    if (!input.flag("detach")) return await attend(invocation, client, args, options);
    const id = await client.start("core.system", args, options);
    await invocation.print({ id }, () => `${id}\n`);
    return EXIT.ok;
  },
};

async function buildArguments(invocation: Invocation) {
  const { input, io } = invocation;
  const [name, ...args] = input.operands;
  const stdin = input.text("stdin");
  return {
    name,
    args,
    dir: input.text("dir") ?? "",
    env: parseEnvironment(input),
    stdin: stdin === undefined ? "" : await readText(io, stdin),
  };
}

function parseEnvironment(input: Input): Record<string, string> {
  const entries = input.list("env").map((text): [string, string] => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`Cannot use --env "${text}": expected NAME=VALUE`, "run");
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return Object.fromEntries(entries);
}

/** Runs the job, shows what it writes, passes signals on to it. @returns its exit code */
async function attend(
  invocation: Invocation,
  client: Client,
  args: unknown,
  options: RunOptions & { id: string },
): Promise<number> {
  const { io, format = "table" } = invocation;
  const isLive = format === "table" && invocation.input.flag("stream", true);
  const interrupter = new Interrupter(client, options.id, (text) => invocation.note(text));
  const stopListening = io.onStop((signal) => interrupter.receive(signal));
  try {
    const result = await client.run("core.system", args, {
      ...options,
      signal: interrupter.signal,
      ...(isLive ? { onMessage: messageWriter(io) } : {}),
    });
    interrupter.finish();
    if (interrupter.signalNumber !== undefined) return exitCodeOfSignal(interrupter.signalNumber);
    await show(invocation, result, isLive);
    return exitCodeOf(result);
  } catch (error) {
    const number = interrupter.signalNumber;
    if (number === undefined || errorCode(error) !== "E_ABORTED") throw error;
    return exitCodeOfSignal(number);
  } finally {
    interrupter.finish();
    stopListening();
  }
}

async function show(invocation: Invocation, result: JobResult, isLive: boolean): Promise<void> {
  const { format = "table" } = invocation;
  if (format !== "table") await invocation.print(result, () => "");
  else if (isLive) await explainFailure(invocation, result);
  else await writeOutcome(invocation, result);
}
