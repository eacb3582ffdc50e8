import type { CompletionCommand, CompletionOption } from "./completion.ts";

/** A completion script for fish 3 and later. */
export function fishCompletion(
  commands: readonly CompletionCommand[],
  globals: readonly CompletionOption[],
): string {
  const names = commands.map(({ name }) => name).join(" ");
  const isFirst = `not __fish_seen_subcommand_from ${names}`;
  return [
    "# fish completion for node0",
    "complete -c node0 -f",
    ...commands.map(
      ({ name, summary }) =>
        `complete -c node0 -n ${quote(isFirst)} -a ${name} -d ${quote(summary)}`,
    ),
    ...globals.flatMap((option) => optionLines(option, isFirst)),
    `complete -c node0 -n ${quote(isFirst)} -l version -d 'Show the version'`,
    ...commands.flatMap((command) => commandLines(command)),
    "",
  ].join("\n");
}

function commandLines({ name, options, operands }: CompletionCommand): string[] {
  const condition = `__fish_seen_subcommand_from ${name}`;
  // Fish cannot count operands without help; choices exist for first operands only.
  const [choices = []] = operands;
  const operandLines =
    choices.length === 0
      ? []
      : [`complete -c node0 -n ${quote(condition)} -a ${quote(choices.join(" "))}`];
  return [...options.flatMap((option) => optionLines(option, condition)), ...operandLines];
}

function optionLines(option: CompletionOption, condition: string): string[] {
  const short = option.words.find((word) => !word.startsWith("--"));
  const longs = option.words.filter((word) => word.startsWith("--"));
  return longs.map((long) =>
    [
      `complete -c node0 -n ${quote(condition)} -l ${long.slice(2)}`,
      short === undefined ? "" : ` -s ${short.slice(1)}`,
      valuePart(option),
      ` -d ${quote(option.help)}`,
    ].join(""),
  );
}

function valuePart({ takesValue, isFile, choices }: CompletionOption): string {
  if (!takesValue) return "";
  if (choices.length > 0) return ` -x -a ${quote(choices.join(" "))}`;
  return isFile ? " -r -F" : " -x";
}

const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
