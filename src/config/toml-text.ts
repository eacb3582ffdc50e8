import toml from "@iarna/toml";
import { errorCode, errorText } from "../base/errors.ts";
import { scanToml, type TomlLines } from "./toml-lines.ts";

export type ParsedToml =
  | { readonly table: Readonly<Record<string, unknown>>; readonly lineOf: TomlLines["lineOf"] }
  | { readonly table: null; readonly problem: string };

/**
 * Parses a TOML text. Never throws: what cannot be parsed is a problem. This file loads the parser, so it is
 * imported when there is something to parse.
 *
 * @param source File name for the messages, and the text.
 */
export function parseToml({ file, text }: { file: string; text: string }): ParsedToml {
  try {
    const { danger, lineOf } = scanToml(text);
    if (danger === undefined) return { table: toml.parse(text), lineOf };
    const problem = `Cannot use ${file}:${danger.line}: ${danger.seen} seen, expected none`;
    return { table: null, problem };
  } catch (error) {
    const problem = `Cannot read ${file}${placeOf(error)}: ${tomlMessage(error)}`;
    return { table: null, problem };
  }
}

/** The parser counts lines from 0 and puts a drawing of the place below its first line. */
function placeOf(error: unknown): string {
  const line = (error as { line?: unknown }).line;
  return typeof line === "number" ? `:${line + 1}` : "";
}

function tomlMessage(error: unknown): string {
  const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : errorText(error);
  const code = errorCode(error);
  const plain = text.replace(/ at row \d+, col \d+.*$/, "");
  return code === undefined ? plain : `${plain} (${code})`;
}
