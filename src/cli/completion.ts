import { COMMANDS } from "../client/generated/names.ts";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { type CommandSpec, GLOBAL_OPTIONS, type OptionSpec } from "./grammar.ts";
import { OTHER_PARTS } from "./help.ts";
import { optionNames } from "./parse.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** What completion scripts are made from. */
export interface CompletionCommand {
  readonly name: string;
  readonly summary: string;
  /** Its own options and those every command takes. */
  readonly options: readonly CompletionOption[];
  /** Words allowed as operands, by position. */
  readonly operands: readonly (readonly string[])[];
  readonly isWrapper: boolean;
}

export interface CompletionOption {
  /** With dashes; a switch that can be negated appears twice. */
  readonly words: readonly string[];
  readonly help: string;
  readonly takesValue: boolean;
  readonly isFile: boolean;
  readonly choices: readonly string[];
}

/** The completion script of a shell, made from the table of commands. */
export function formatCompletion(shell: Shell, specs: readonly CommandSpec[]): string {
  const globals = GLOBAL_OPTIONS.map(describeOption);
  // Words that are a matter of taste at run time: other ones may be given too.
  const offered: Readonly<Record<string, readonly string[]>> = {
    help: specs.map(({ name }) => name),
    call: COMMANDS.map(([name]) => name),
  };
  const commands = [
    ...specs.map((spec) => ({
      name: spec.name,
      summary: spec.summary,
      options: [...spec.options.map(describeOption), ...globals],
      operands: spec.operands.map(
        ({ choices = [] }, index) => (index === 0 ? offered[spec.name] : undefined) ?? choices,
      ),
      isWrapper: spec.isWrapper === true,
    })),
    ...OTHER_PARTS.map(([name, summary]) => ({
      name,
      summary,
      options: [],
      operands: [],
      isWrapper: true,
    })),
  ];
  switch (shell) {
    case "bash":
      return bashCompletion(commands, globals);
    case "zsh":
      return zshCompletion(commands, globals);
    case "fish":
      return fishCompletion(commands, globals);
  }
}

function describeOption(option: OptionSpec): CompletionOption {
  const short = option.short === undefined ? [] : [`-${option.short}`];
  return {
    words: [...short, ...optionNames(option).map((name) => `--${name}`)],
    help: option.help,
    takesValue: option.value !== undefined,
    isFile: option.kind === "file",
    choices: option.choices ?? [],
  };
}
