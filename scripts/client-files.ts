import type { NodeCommand } from "../src/api/services.ts";
import type { Schema } from "../src/base/schema.ts";
import { type ContractCommand, readContract, type Shape } from "../test/fixtures/contract.ts";

/**
 * The files below `src/client/generated/`: what the TypeScript client and the help of the command line
 * tool know of the commands. Like `docs/commands.md` they follow from the commands themselves.
 */
export function renderClientFiles(commands: readonly NodeCommand[]): Record<string, string> {
  return {
    "arguments.ts": renderArguments(commands),
    "methods.ts": renderMethods(commands),
    "names.ts": renderNames(commands),
    "help.ts": renderHelp(commands),
    "values.ts": renderValues(commands, readContract()),
  };
}

const HEAD = "// Generated from the commands by `node scripts/docs.ts`; do not edit.\n";

/** Types alone: the arguments of every command by its name. */
function renderArguments(commands: readonly NodeCommand[]): string {
  const rows = commands.map(
    ({ name, args }) => `  readonly ${JSON.stringify(name)}: ${argumentsType(args)};\n`,
  );
  return `${HEAD}
/** What each command takes; \`null\` equals leaving out. */
export interface CommandArguments {
${rows.join("")}}
`;
}

/** A tree of typed methods: \`bridge.nic-add\` is \`bridge.nicAdd\`. */
function renderMethods(commands: readonly NodeCommand[]): string {
  const root = new Map<string, MethodTree>();
  for (const command of commands) plant(root, command.name.split(".").map(camelCase), command);
  return `${HEAD}import type { Limits } from "../limits.ts";
import type { RunOptions } from "../run-options.ts";
import type { JobResult } from "../../job/types.ts";
import type { CommandValue } from "../values.ts";
import type { CommandArguments } from "./arguments.ts";

/**
 * Every command of the node as a method. One that returns a value rejects with a \`JobError\` when its job
 * fails; one that runs a program or ends the node returns the result of its job whatever its state.
 */
export interface CommandMethods {
${renderTree(root, "  ")}}
`;
}

type MethodTree = NodeCommand | Map<string, MethodTree>;

function plant(tree: Map<string, MethodTree>, path: readonly string[], leaf: NodeCommand): void {
  const [first = "", ...rest] = path;
  const known = tree.get(first);
  if (rest.length === 0 && known === undefined) {
    tree.set(first, leaf);
    return;
  }
  const inner = known ?? new Map<string, MethodTree>();
  if (!(inner instanceof Map) || rest.length === 0) {
    throw new Error(`Cannot name a method for ${leaf.name}: ${first} is taken`);
  }
  tree.set(first, inner);
  plant(inner, rest, leaf);
}

function renderTree(tree: ReadonlyMap<string, MethodTree>, indent: string): string {
  return [...tree]
    .map(([name, item]) => {
      if (!(item instanceof Map)) return renderMethod(name, item, indent);
      return `${indent}readonly ${name}: {\n${renderTree(item, `${indent}  `)}${indent}};\n`;
    })
    .join("");
}

function renderMethod(name: string, command: NodeCommand, indent: string): string {
  const key = JSON.stringify(command.name);
  const hasValue = returnsValue(command);
  const options = hasValue ? "limits?: Limits" : "options?: RunOptions";
  const result = hasValue ? `CommandValue<${key}>` : "JobResult";
  const isOptional = (command.args as Schema<unknown> | undefined)?.required?.length ? "" : "?";
  const args = command.args === undefined ? "" : `args${isOptional}: CommandArguments[${key}], `;
  const comment = command.summary.replaceAll("*/", "* /");
  return `${indent}/** ${comment}. */\n${indent}${name}(${args}${options}): Promise<${result}>;\n`;
}

/** Names with what their methods need to know at run time: kept apart, so that only users load them. */
function renderNames(commands: readonly NodeCommand[]): string {
  const rows = commands.map((command) => {
    const returns = returnsValue(command) ? "value" : "result";
    return `  [${JSON.stringify(command.name)}, ${command.args !== undefined}, "${returns}"],\n`;
  });
  return `${HEAD}
/** Name, whether it takes arguments, and what its method returns. */
export const COMMANDS: readonly (readonly [string, boolean, "value" | "result"])[] = [
${rows.join("")}];
`;
}

/**
 * Types alone: the values of the commands of the wire protocol. The contract test holds the node to the
 * same shapes.
 */
function renderValues(
  commands: readonly NodeCommand[],
  contract: readonly ContractCommand[],
): string {
  const rows = commands.filter(returnsValue).flatMap(({ name }) => {
    const shape = contract.find((one) => one.name === name)?.result.shape;
    return shape === undefined
      ? []
      : [`  readonly ${JSON.stringify(name)}: ${shapeType(shape)};\n`];
  });
  return `${HEAD}
/** What each command of the wire protocol returns. */
export interface CommandValues {
${rows.join("")}}
`;
}

const WORD_TYPES: Readonly<Record<string, string>> = {
  integer: "number",
  object: "Readonly<Record<string, unknown>>",
};

function shapeType(shape: Shape): string {
  if (shape === null) return "null";
  if (typeof shape === "string") {
    return shape
      .split("|")
      .map((word) => WORD_TYPES[word] ?? word)
      .join(" | ");
  }
  if (Array.isArray(shape)) {
    const item = shapeType(shape[0] as Shape);
    const list = `readonly ${item.includes(" | ") && !item.startsWith("{") ? `(${item})` : item}[]`;
    return shape.length === 2 ? `${list} | null` : list;
  }
  const entries = Object.entries(shape);
  const [key, any] = entries[0] ?? [];
  if (key?.startsWith("<") && any !== undefined) {
    const map = `Readonly<Record<string, ${shapeType(any)}>>`;
    return key.endsWith("|null") ? `${map} | null` : map;
  }
  const members = entries.map(([member, inner]) => {
    const name = member.replace(/\?$/, "");
    return member.endsWith("?")
      ? `readonly ${memberKey(name)}?: ${shapeType(inner)} | undefined`
      : `readonly ${memberKey(name)}: ${shapeType(inner)}`;
  });
  return `{ ${members.join("; ")} }`;
}

/** What `node0 call COMMAND --help\` shows. */
function renderHelp(commands: readonly NodeCommand[]): string {
  const rows = commands.map((command) => {
    const { name, summary, access, result } = command;
    const level = command.kind === "process" ? 0 : (command.level ?? 20);
    const help = { summary, access, level, result, arguments: helpRows(command.args, "") };
    return `  ${JSON.stringify(name)}: ${JSON.stringify(help)},\n`;
  });
  return `${HEAD}import type { CommandHelp } from "../command-help.ts";

export const COMMAND_HELP: Readonly<Record<string, CommandHelp>> = {
${rows.join("")}};
`;
}

function helpRows(schema: Schema<unknown> | undefined, prefix: string): unknown[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, member]) => {
    const path = `${prefix}${name}`;
    const { description, default: fallback, enum: choices, minimum, maximum } = member;
    const row = {
      name: path,
      type: typeWord(member),
      isRequired: schema?.required?.includes(name) === true,
      description,
      default: fallback,
      choices,
      minimum,
      maximum,
    };
    const suffix = member.items === undefined ? "." : "[].";
    return [row, ...helpRows(member.items ?? member, `${path}${suffix}`)];
  });
}

/** Type of an argument in words, as the pages and the help name it. */
export function typeWord(schema: Schema<unknown>): string {
  if (schema.items !== undefined) return `array of ${typeWord(schema.items)}`;
  if (schema.additionalProperties !== undefined) {
    return `object, each value ${typeWord(schema.additionalProperties)}`;
  }
  return schema.type;
}

function returnsValue(command: NodeCommand): boolean {
  return command.kind === "builtin" && (command.level ?? 20) !== 0;
}

function argumentsType(schema: Schema<unknown> | undefined): string {
  return schema === undefined ? "undefined" : typeOf(schema);
}

function typeOf(schema: Schema<unknown>): string {
  switch (schema.type) {
    case "any":
      return "unknown";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "string":
      return schema.enum?.map((value) => JSON.stringify(value)).join(" | ") ?? "string";
    case "array": {
      const item = schema.items === undefined ? "unknown" : typeOf(schema.items);
      return `readonly ${/[|]/.test(item) ? `(${item})` : item}[]`;
    }
    case "object":
      return objectType(schema);
  }
}

function objectType(schema: Schema<unknown>): string {
  if (schema.additionalProperties !== undefined) {
    return `Readonly<Record<string, ${typeOf(schema.additionalProperties)} | null>>`;
  }
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const isRequired = schema.required?.includes(name) === true;
    return isRequired
      ? `readonly ${memberKey(name)}: ${typeOf(member)}`
      : `readonly ${memberKey(name)}?: ${typeOf(member)} | null | undefined`;
  });
  return members.length === 0 ? "Readonly<Record<string, unknown>>" : `{ ${members.join("; ")} }`;
}

const memberKey = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);

function camelCase(word: string): string {
  return word.replaceAll(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
}
