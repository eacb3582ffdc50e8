import { errorText } from "../base/errors.ts";
import { parseToml } from "../config/toml-text.ts";
import { parseCondition } from "./condition.ts";
import { EXTENSION_KEYS, SERVICE_KEYS } from "./keys.ts";
import type { StartupText } from "./read-texts.ts";
import { parseExpression } from "./running-match.ts";
import { isTable, TableReader } from "./table-reader.ts";
import type { StartupExtension, StartupService } from "./types.ts";

export interface ParsedFile {
  readonly services: readonly StartupService[];
  readonly extensions: readonly StartupExtension[];
  readonly problems: readonly string[];
}

/** By default a service counts as running after this time. */
const RUNNING_DELAY_S = 2;
const RUNNING_LIMIT_S = 60;

/** Reads the services and extensions of one file. Never throws: what cannot be used is a problem. */
export function parseFile(source: StartupText): ParsedFile {
  try {
    return parseText(source);
  } catch (error) {
    // Names with dots can put a hundred thousand tables into each other.
    const problem = `Cannot read ${source.file}: ${errorText(error)}`;
    return { services: [], extensions: [], problems: [problem] };
  }
}

function parseText(source: StartupText): ParsedFile {
  const parsed = parseToml(source);
  if (parsed.table === null) return { services: [], extensions: [], problems: [parsed.problem] };
  const reader = new TableReader(source.file, parsed.lineOf);
  const services: StartupService[] = [];
  const extensions: StartupExtension[] = [];
  for (const [section, table] of Object.entries(parsed.table)) {
    if (section !== "startup" && section !== "extension") {
      reader.complain([section], "an unknown key", "startup or extension");
    } else if (!isTable(table)) {
      reader.complain([section], "a value", "a table");
    } else {
      for (const [name, values] of Object.entries(table)) {
        const path = [section, name];
        if (section === "startup") push(services, readService(reader, path, values));
        else push(extensions, readExtension(reader, path, values));
      }
    }
  }
  return { services, extensions, problems: reader.problems };
}

/** Undefined: a problem says why. A service that is not what its file says is not started at all. */
function readService(
  reader: TableReader,
  path: readonly string[],
  value: unknown,
): StartupService | undefined {
  const given = reader.read(path, value, SERVICE_KEYS);
  if (given === undefined) return undefined;
  const id = path.at(-1) ?? "";
  if (!isServiceId(id)) {
    reader.complain(path, "this name", "1 to 128 printable characters, not init, net or boot");
    return undefined;
  }
  if (given["name"] === undefined) {
    reader.complain(path, "no name", "the name of a command");
    return undefined;
  }
  const match = (given["running_match"] ?? "") as string;
  let expression: RegExp | null = null;
  try {
    parseCondition((given["condition"] ?? "") as string);
    if (match !== "") expression = parseExpression(match);
  } catch (error) {
    reader.problem(path, errorText(error));
    return undefined;
  }
  return {
    id,
    place: reader.placeOf(path),
    command: given["name"] as string,
    args: (given["args"] ?? {}) as Readonly<Record<string, unknown>>,
    condition: (given["condition"] ?? "") as string,
    after: (given["after"] ?? []) as readonly string[],
    // 0 is what existing files write for the default.
    runningDelay: (given["running_delay"] as number | undefined) || RUNNING_DELAY_S,
    runningMatch: expression,
    runningLimit: (given["running_limit"] ?? RUNNING_LIMIT_S) as number,
    isProtected: given["protected"] === true,
    maxRestart: (given["max_restart"] ?? 0) as number,
    recurringPeriod: (given["recurring_period"] ?? 0) as number,
    tags: (given["tags"] ?? null) as readonly string[] | null,
  };
}

function readExtension(
  reader: TableReader,
  path: readonly string[],
  value: unknown,
): StartupExtension | undefined {
  const given = reader.read(path, value, EXTENSION_KEYS);
  if (given === undefined) return undefined;
  if (given["binary"] === undefined) {
    reader.complain(path, "no binary", "the path of a program");
    return undefined;
  }
  return {
    name: path.at(-1) ?? "",
    place: reader.placeOf(path),
    binary: given["binary"] as string,
    cwd: (given["cwd"] ?? "") as string,
    args: (given["args"] ?? []) as readonly string[],
    env: { ...(given["env"] as Record<string, string> | undefined) },
    access: (given["access"] ?? "admin") as StartupExtension["access"],
  };
}

function isServiceId(id: string): boolean {
  return /^[^\p{C}]{1,128}$/u.test(id) && !["init", "net", "boot"].includes(id);
}

function push<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}
