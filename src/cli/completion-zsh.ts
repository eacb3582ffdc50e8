import type { CompletionCommand, CompletionOption } from "./completion.ts";

/** A completion function for zsh; works from `fpath` and when sourced after `compinit`. */
export function zshCompletion(
  commands: readonly CompletionCommand[],
  globals: readonly CompletionOption[],
): string {
  return [
    "#compdef node0",
    "_node0() {",
    "  local context state state_descr line",
    "  typeset -A opt_args",
    "  _arguments -C -S \\",
    ...globals.flatMap((option) => optionSpecs(option).map((spec) => `    ${spec} \\`)),
    "    '--version[Show the version]' \\",
    "    '1: :->command' '*:: :->operands' && return",
    '  case "$state" in',
    "    command)",
    "      local -a commands",
    "      commands=(",
    ...commands.map(({ name, summary }) => `        ${quote(`${name}:${summary}`)}`),
    "      )",
    "      _describe -t commands command commands",
    "      ;;",
    "    operands)",
    '      case "$line[1]" in',
    ...commands.flatMap((command) => commandCase(command)),
    "      esac",
    "      ;;",
    "  esac",
    "}",
    'if [[ "$funcstack[1]" == _node0 ]]; then _node0 "$@"; else compdef _node0 node0; fi',
    "",
  ].join("\n");
}

function commandCase({ name, options, operands, isWrapper }: CompletionCommand): string[] {
  if (options.length === 0) return [];
  const specs = options.flatMap(optionSpecs);
  for (const [index, choices] of operands.entries()) {
    const action = choices.length === 0 ? " " : `(${choices.join(" ")})`;
    if (!isWrapper) specs.push(quote(`${index + 1}:operand:${action}`));
  }
  if (isWrapper) specs.push("'*:: : '");
  return [
    `        ${name})`,
    "          _arguments -S \\",
    ...specs.map((spec, index) => `            ${spec}${index < specs.length - 1 ? " \\" : ""}`),
    "          ;;",
  ];
}

/** `_arguments` specifications: brackets and colons are its own syntax, so texts must not hold any. */
function optionSpecs({ words, help, takesValue, isFile, choices }: CompletionOption): string[] {
  const text = help.replaceAll(/[[\]:]/g, " ");
  const action = choices.length > 0 ? `(${choices.join(" ")})` : isFile ? "_files" : " ";
  return words.map((word) => quote(`${word}[${text}]${takesValue ? `:value:${action}` : ""}`));
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
