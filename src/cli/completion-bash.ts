// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are shell syntax
import type { CompletionCommand, CompletionOption } from "./completion.ts";

/**
 * A completion function for bash 4 and later; needs nothing but bash itself.
 * Every word it offers comes from the tool's own table: letters, digits and dashes only.
 */
export function bashCompletion(
  commands: readonly CompletionCommand[],
  globals: readonly CompletionOption[],
): string {
  const all = commands.flatMap(({ options }) => options);
  const valued = unique([...globals, ...all].filter((option) => option.takesValue));
  const files = valued.filter((option) => option.isFile);
  const chosen = valued.filter((option) => option.choices.length > 0);
  const names = commands.map(({ name }) => name).join(" ");
  return [
    "# bash completion for node0",
    "_node0() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"',
    '  local command="" word="" count=0 index=1',
    "  COMPREPLY=()",
    "  while ((index < COMP_CWORD)); do",
    '    word="${COMP_WORDS[index]}"',
    '    case "$word" in',
    `      ${wordsOf(valued).join("|")}) ((index += 1)) ;;`,
    "      --) return ;;",
    "      -*) ;;",
    "      *)",
    '        if [[ -z "$command" ]]; then command="$word"; else ((count += 1)); fi',
    `        case "$command:$count" in ${wrappers(commands)}) return ;; esac`,
    "        ;;",
    "    esac",
    "    ((index += 1))",
    "  done",
    '  case "$prev" in',
    ...chosen.map(
      (option) => `    ${wordsOf([option]).join("|")}) ${offer(option.choices)}; return ;;`,
    ),
    `    ${wordsOf(files).join("|")}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    `    ${wordsOf(valued).join("|")}) return ;;`,
    "  esac",
    '  if [[ "$cur" == -* ]]; then',
    '    case "$command" in',
    ...commands.map(({ name, options }) => `      ${name}) ${offer(wordsOf(options))} ;;`),
    `      *) ${offer([...wordsOf(globals), "--version"])} ;;`,
    "    esac",
    "    return",
    "  fi",
    '  case "$command:$count" in',
    `    :0) COMPREPLY=($(compgen -W "${names}" -- "$cur")) ;;`,
    ...commands.flatMap(({ name, operands }) =>
      operands.flatMap((choices, index) =>
        choices.length === 0 ? [] : [`    ${name}:${index}) ${offer(choices)} ;;`],
      ),
    ),
    "  esac",
    "}",
    "complete -F _node0 node0",
    "",
  ].join("\n");
}

const offer = (words: readonly string[]) =>
  `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur"))`;

/** Once a wrapper has its first operand, the rest is another program's business. */
function wrappers(commands: readonly CompletionCommand[]): string {
  return commands
    .filter(({ isWrapper }) => isWrapper)
    .map(({ name, options }) => (options.length === 0 ? `${name}:*` : `${name}:[1-9]*`))
    .join("|");
}

const wordsOf = (options: readonly CompletionOption[]) => options.flatMap(({ words }) => words);

function unique(options: readonly CompletionOption[]): CompletionOption[] {
  const seen = new Set<string>();
  return options.filter(({ words }) => {
    const key = words.join("|");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
