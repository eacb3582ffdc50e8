import { type CommandSpec, GLOBAL_OPTIONS, type OperandSpec, type OptionSpec } from "./grammar.ts";

const INDENT = "  ";

/** Parts of the program that bring their own command lines. */
export const OTHER_PARTS: readonly (readonly [string, string])[] = [
  ["agent", "Run the agent (on a machine, or on this host with --host)"],
  ["image", "Build the boot image"],
];

/** The text of `node0 help`. */
export function formatHelp(commands: readonly CommandSpec[]): string {
  const rows = commands.map((command) => [command.name, command.summary] as const);
  return [
    "Usage: node0 [OPTION...] COMMAND [ARG...]",
    "",
    "Commands:",
    ...columns([...rows, ...OTHER_PARTS]),
    "",
    "Options of every command:",
    ...columns([...GLOBAL_OPTIONS.map(optionRow), ["--version", "Show the version"]]),
    "",
    '"node0 help COMMAND" says more about one command.',
    "",
  ].join("\n");
}

/** The text of `node0 help <command>`. */
export function formatCommandHelp(command: CommandSpec): string {
  const operands = command.operands.map(operandUsage);
  const dashes = command.isWrapper === true ? ["--"] : [];
  const usage = ["Usage: node0", command.name, "[OPTION...]", ...dashes, ...operands].join(" ");
  const text = [usage, "", `${command.summary}.`];
  for (const paragraph of command.details ?? []) text.push("", paragraph);
  if (command.operands.length > 0) {
    text.push("", "Arguments:", ...columns(command.operands.map(operandRow)));
  }
  if (command.options.length > 0) {
    text.push("", "Options:", ...columns(command.options.map(optionRow)));
  }
  text.push("", "Options of every command:", ...columns(GLOBAL_OPTIONS.map(optionRow)));
  text.push("", "Examples:", ...command.examples.map((example) => INDENT + example), "");
  return text.join("\n");
}

function operandUsage({ name, isRequired, isRest }: OperandSpec): string {
  const repeated = isRest === true ? `${name}...` : name;
  return isRequired === true ? repeated : `[${repeated}]`;
}

function operandRow({ name, help, choices }: OperandSpec): readonly [string, string] {
  return [name, withChoices(help, choices)];
}

function optionRow(option: OptionSpec): readonly [string, string] {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const name = option.isOnByDefault === true ? `[no-]${option.name}` : option.name;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  const help = withChoices(option.help, option.choices);
  return [`${short}--${name}${value}`, option.isRepeatable === true ? `${help}; repeatable` : help];
}

function withChoices(help: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? help : `${help}: ${choices.join(", ")}`;
}

/** Rows as two columns, indented. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${INDENT}${name.padEnd(width)}${INDENT}${text}`);
}
