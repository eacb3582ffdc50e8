import { type CommandSpec, GLOBAL_OPTIONS, type OptionSpec } from "./grammar.ts";
import { Input } from "./input.ts";
import { nearestWord } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

/** Switches understood before the command only. */
const VERSION_OPTION: OptionSpec = { name: "version", help: "Show the version" };

export interface ParsedLine<C extends CommandSpec> {
  /** Undefined when the line holds no command: help or version was asked for. */
  readonly command: C | undefined;
  readonly input: Input;
}

/**
 * Reads a command line: options of the tool, the command, its options and operands. Options may
 * stand anywhere before `--`; for a wrapper they end at its first operand.
 *
 * @throws UsageError with the nearest match for a word that is not known.
 */
export function parseLine<C extends CommandSpec>(
  words: readonly string[],
  commands: readonly C[],
): ParsedLine<C> {
  const input = new Input();
  let command: C | undefined;
  let known: readonly OptionSpec[] = [...GLOBAL_OPTIONS, VERSION_OPTION];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") {
      input.operands.push(...words.slice(index + 1));
      break;
    }
    if (word.startsWith("-") && word !== "-") {
      index += readOption(word, words[index + 1], known, input, command?.name);
      continue;
    }
    if (command === undefined) {
      command = findCommand(word, commands);
      known = [...command.options, ...GLOBAL_OPTIONS];
      continue;
    }
    if (command.isWrapper === true) {
      input.operands.push(...words.slice(index));
      break;
    }
    input.operands.push(word);
  }
  if (command !== undefined && !input.flag("help")) checkOperands(command, input.operands);
  return { command, input };
}

function findCommand<C extends CommandSpec>(word: string, commands: readonly C[]): C {
  const command = commands.find((candidate) => candidate.name === word);
  if (command !== undefined) return command;
  const names = commands.map((candidate) => candidate.name);
  throw new UsageError(`Cannot find the command ${quote(word)}${suggestion(word, names, "")}`);
}

/** Reads one option; returns how many words beside it were used. */
function readOption(
  word: string,
  next: string | undefined,
  known: readonly OptionSpec[],
  input: Input,
  command: string | undefined,
): number {
  const { spec, attached, isNegated } = matchOption(word, known, command);
  const shown =
    spec.short !== undefined && !word.startsWith("--") ? `-${spec.short}` : `--${spec.name}`;
  if (spec.value === undefined) {
    if (attached !== undefined) throw new UsageError(`Cannot give ${shown} a value`, command);
    input.set(spec, isNegated ? "no" : "yes");
    return 0;
  }
  const value = attached ?? next;
  if (value === undefined) throw new UsageError(`Cannot use ${shown} without a value`, command);
  checkValue(spec, shown, value, command);
  if (input.has(spec.name) && spec.isRepeatable !== true) {
    throw new UsageError(`Cannot use ${shown} twice`, command);
  }
  input.set(spec, value);
  return attached === undefined ? 1 : 0;
}

function matchOption(word: string, known: readonly OptionSpec[], command: string | undefined) {
  if (!word.startsWith("--")) {
    const spec = known.find((option) => option.short === word[1]);
    if (spec === undefined) throw unknownOption(word.slice(0, 2), known, command);
    const rest = word.slice(2).replace(/^=/, "");
    return { spec, attached: word.length > 2 ? rest : undefined, isNegated: false };
  }
  const equals = word.indexOf("=");
  const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
  const attached = equals === -1 ? undefined : word.slice(equals + 1);
  const spec = known.find((option) => option.name === name);
  if (spec !== undefined) return { spec, attached, isNegated: false };
  const negated = known.find((option) => option.isOnByDefault && `no-${option.name}` === name);
  if (negated !== undefined) return { spec: negated, attached, isNegated: true };
  throw unknownOption(`--${name}`, known, command);
}

function unknownOption(
  word: string,
  known: readonly OptionSpec[],
  command: string | undefined,
): UsageError {
  const names = known.flatMap((option) => optionNames(option));
  const near = word.startsWith("--") ? suggestion(word.slice(2), names, "--") : "";
  return new UsageError(`Cannot find the option ${quote(word)}${near}`, command);
}

/** Every long name an option answers to, without dashes. */
export function optionNames(option: OptionSpec): string[] {
  return option.isOnByDefault === true ? [option.name, `no-${option.name}`] : [option.name];
}

function checkValue(spec: OptionSpec, shown: string, value: string, command?: string): void {
  const fail = (wanted: string) => {
    throw new UsageError(`Cannot use ${shown} ${quote(value)}: expected ${wanted}`, command);
  };
  if (spec.choices !== undefined && !spec.choices.includes(value)) fail(oneOf(spec.choices));
  if (spec.kind !== "integer" && spec.kind !== "number") return;
  const what = spec.kind === "integer" ? "a whole number" : "a number";
  const isNumber = spec.kind === "integer" ? /^\d+$/.test(value) : /^\d+(\.\d+)?$/.test(value);
  if (!isNumber) fail(what);
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = spec;
  if (Number(value) < minimum || Number(value) > maximum) {
    fail(`${what} from ${minimum} to ${maximum}`);
  }
}

function checkOperands(command: CommandSpec, given: readonly string[]): void {
  const { operands, name } = command;
  const missing = operands[given.length];
  if (missing?.isRequired === true) {
    throw new UsageError(`Cannot run ${name}: ${missing.name} is missing`, name);
  }
  const hasRest = operands.at(-1)?.isRest === true;
  const surplus = given[operands.length];
  if (surplus !== undefined && !hasRest) {
    throw new UsageError(`Cannot run ${name}: ${quote(surplus)} is one word too many`, name);
  }
  for (const [index, operand] of operands.entries()) {
    const value = given[index];
    if (value === undefined || operand.choices === undefined) continue;
    if (operand.choices.includes(value)) continue;
    const near = suggestion(value, operand.choices, "") || `, expected ${oneOf(operand.choices)}`;
    throw new UsageError(`Cannot use ${operand.name} ${quote(value)}${near}`, name);
  }
}

function suggestion(word: string, candidates: readonly string[], prefix: string): string {
  const near = nearestWord(word, candidates);
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`;
}

const oneOf = (choices: readonly string[]) => `one of ${choices.join(", ")}`;

const quote = (word: string) => `"${word}"`;
