/**
 * Writes `docs/commands.md` and the generated files of the client from the commands themselves:
 * `node scripts/docs.ts`, or with `--check` only says whether they are current (exit status 1 if not).
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { loadCommands } from "../src/api/load-commands.ts";
import { CommandRegistry } from "../src/api/registry.ts";
import type { NodeCommand } from "../src/api/services.ts";
import type { Schema } from "../src/base/schema.ts";
import { renderClientFiles, typeWord } from "./client-files.ts";

const ROOT = join(import.meta.dirname, "..");
export const COMMANDS_PAGE = join(ROOT, "docs/commands.md");
const CLIENT_FILES = join(ROOT, "src/client/generated");

/** Every command of the source tree, sorted by name. */
export async function loadAllCommands(): Promise<NodeCommand[]> {
  return new CommandRegistry(await loadCommands()).list();
}

/** The whole page, newline at the end included. */
export function renderCommands(commands: readonly NodeCommand[]): string {
  const families = Map.groupBy(commands, familyOf);
  const sections = [...families].flatMap(([family, members]) => [
    `## ${family}`,
    ...members.flatMap(renderCommand),
  ]);
  return `${[...INTRODUCTION, renderIndex(commands), ...sections].join("\n\n")}\n`;
}

const INTRODUCTION = [
  "# Commands",
  "This page is generated from the commands themselves by `node scripts/docs.ts`; do not edit it. What " +
    "every command has in common, how it is sent and how its result comes back, is in " +
    "[protocol.md](protocol.md).",
  "Each command can be pushed to `core:default` and is also a Redis command of its own that takes its " +
    "arguments as one JSON object: `redis-cli info.mem`, `redis-cli process.list '{\"pid\":1}'`.",
  "`null` for an argument equals leaving it out; unknown arguments are ignored. Scope `container` " +
    "means that the command can also be dispatched into a container. Access says which roles may run it: " +
    "`read` every role, `operate` operators and administrators, `admin` administrators alone.",
];

/** `bash` and other names without a dot belong to `core`. */
function familyOf({ name }: NodeCommand): string {
  return name.includes(".") ? (name.split(".")[0] ?? name) : "core";
}

function renderIndex(commands: readonly NodeCommand[]): string {
  const rows = commands.map((command) => [
    `[\`${command.name}\`](#${anchorOf(command.name)})`,
    scopeOf(command),
    plain(command.summary),
  ]);
  return renderTable([["Command", "Scope", "Purpose"], ...rows]);
}

function renderCommand(command: NodeCommand): string[] {
  return [
    `### ${command.name}`,
    `${plain(command.summary)}.`,
    `Scope: ${scopeOf(command)}. Access: ${command.access}.`,
    renderArguments(command.args),
    renderResult(command),
  ];
}

function renderArguments(schema: Schema<unknown> | undefined): string {
  const rows = schema === undefined ? [] : argumentRows(schema, "");
  if (rows.length === 0) return "Arguments: none.";
  return renderTable([["Argument", "Type", "Required", "Default", "Meaning"], ...rows]);
}

/** One row per member; members of nested objects as `outer.inner`, of elements as `list[].member`. */
function argumentRows(schema: Schema<unknown>, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = `${prefix}${name}`;
    const isRequired = schema.required?.includes(name) === true;
    const fallback = member.default === undefined ? "" : `\`${JSON.stringify(member.default)}\``;
    const row = [
      `\`${path}\``,
      typeWord(member),
      isRequired ? "yes" : "no",
      fallback,
      meaningOf(member),
    ];
    const nested = member.items === undefined ? member : member.items;
    const suffix = member.items === undefined ? "." : "[].";
    return [row, ...argumentRows(nested, `${path}${suffix}`)];
  });
}

/** A table whose columns are padded, as the formatter of this repository wants them. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((text) => text.replaceAll("|", "\\|")));
  const widths = (cells[0] ?? []).map((_head, column) =>
    Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function meaningOf({ description, enum: values, minimum, maximum }: Schema<unknown>): string {
  const parts = [
    description,
    values === undefined ? undefined : `one of ${values.map((value) => `\`${value}\``).join(", ")}`,
    minimum === undefined ? undefined : `at least ${minimum}`,
    maximum === undefined ? undefined : `at most ${maximum}`,
  ];
  return plain(parts.filter((part) => part !== undefined).join("; "));
}

function renderResult(command: NodeCommand): string {
  const level = command.kind === "process" ? 0 : (command.level ?? 20);
  return `Result (level ${level}): ${plain(command.result)}.`;
}

/** Text of a command as Markdown: angle brackets are no tags, and the page sets the full stops. */
function plain(text: string): string {
  return text.replace(/\.$/, "").replaceAll("<", "\\<");
}

function scopeOf({ scope }: NodeCommand): string {
  return scope === "both" ? "host, container" : "host";
}

/** Heading anchors drop everything but letters, digits, hyphens and underscores. */
function anchorOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^\w-]/g, "");
}

/** Path and text of every file that follows from the commands. */
export function renderAll(commands: readonly NodeCommand[]): [path: string, text: string][] {
  const files = Object.entries(renderClientFiles(commands));
  return [
    [COMMANDS_PAGE, renderCommands(commands)],
    ...files.map(([name, text]): [string, string] => [join(CLIENT_FILES, name), text]),
  ];
}

async function main(): Promise<void> {
  const isCheck = process.argv.includes("--check");
  for (const [path, text] of renderAll(await loadAllCommands())) {
    if (!isCheck) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    } else if (readFileSync(path, "utf8") !== text) {
      console.error(`${relative(ROOT, path)} is not current; run: node scripts/docs.ts`);
      process.exitCode = 1;
    }
  }
}

if (import.meta.main) await main();
