import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import { UsageError } from "../usage-error.ts";

const ACTIONS = ["ls", "cat", "put", "get", "rm", "mkdir"] as const;

/** How many words follow each action. */
const OPERANDS: Readonly<Record<string, { readonly least: number; readonly most: number }>> = {
  ls: { least: 0, most: 1 },
  cat: { least: 1, most: 1 },
  put: { least: 2, most: 2 },
  get: { least: 1, most: 2 },
  rm: { least: 1, most: 1 },
  mkdir: { least: 1, most: 1 },
};

export const fs: CliCommand = {
  name: "fs",
  summary: "List, read, write and remove files of the machine",
  options: [
    { name: "recursive", short: "r", help: "rm: a directory with everything in it" },
    { name: "mode", value: "OCTAL", help: "put: permission bits of the file (644)" },
  ],
  operands: [
    { name: "ACTION", help: "What to do", isRequired: true, choices: ACTIONS },
    { name: "PATH", help: "On the machine; for put the file of this computer" },
    { name: "TARGET", help: "put: path on the machine; get: file of this computer" },
  ],
  details: [
    "Paths of the machine count from /. put and get take - for standard input and output; get without\n" +
      "TARGET writes to the working directory under the file's own name. Bytes travel as they are.",
    "put and get write beside the target and rename at the end: a transfer that fails leaves the old\n" +
      "file as it was.",
  ],
  examples: [
    "node0 fs ls /etc",
    "node0 fs cat /proc/cmdline",
    "node0 fs put --mode 755 tool /usr/local/bin/tool",
    "node0 fs get /run/node0/agent.log",
    "node0 fs rm -r /var/tmp/build",
  ],
  async run(invocation) {
    const [action = "", ...words] = invocation.input.operands;
    const { least, most } = OPERANDS[action] ?? { least: 0, most: 0 };
    if (words.length < least) {
      const name = words.length === 0 ? "PATH" : "TARGET";
      throw new UsageError(`Cannot run fs ${action}: ${name} is missing`, "fs");
    }
    const surplus = words[most];
    if (surplus !== undefined) {
      throw new UsageError(`Cannot run fs ${action}: "${surplus}" is one word too many`, "fs");
    }
    const mode = invocation.input.text("mode") ?? "644";
    if (!/^[0-7]{1,4}$/.test(mode) || Number.parseInt(mode, 8) > 0o777) {
      throw new UsageError(`Cannot use --mode "${mode}": expected 0 to 777, octal`, "fs");
    }
    const { runFileAction } = await import("../fs/actions.ts");
    await runFileAction(invocation, { action, words, mode: Number.parseInt(mode, 8) });
    return EXIT.ok;
  },
};
