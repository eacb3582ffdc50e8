import { AgentError, errorText } from "../base/errors.ts";
import type { CommandObject } from "./types.ts";

/**
 * Parses the JSON text of a command object (wire protocol 4.2 and 4.3): `null` means the default,
 * unknown members are ignored, names match without regard to case with an exact match preferred.
 *
 * @returns An empty `id` or `command` is returned as it is: what it means depends on the caller.
 * @throws AgentError `E_COMMAND` for a text that is not a JSON object or a member of a wrong type.
 */
export function decodeCommand(text: string): CommandObject {
  return commandFrom(parseJson(text));
}

/** The same for a value that is already parsed. */
export function commandFrom(value: unknown): CommandObject {
  // null decodes to an empty command object, as every null means "leave at default".
  if (typeof (value ?? {}) !== "object" || Array.isArray(value)) {
    throw wrong("command object", value, "an object");
  }
  const members = exactNames((value ?? {}) as Members);
  return {
    id: text(members, "id"),
    command: text(members, "command"),
    arguments: members["arguments"] ?? undefined,
    queue: text(members, "queue"),
    maxTime: integer(members, "max_time"),
    maxRestart: integer(members, "max_restart"),
    recurringPeriod: integer(members, "recurring_period"),
    stream: boolean(members, "stream"),
    statsInterval: integer(members, "stats_interval"),
    logLevels: list(members, "log_levels", toInteger),
    tags: list(members, "tags", toText),
    ...limits(members["limits"]),
  };
}

type Members = Readonly<Record<string, unknown>>;

/** Members of a command object beside its name and arguments (wire protocol 4.2). */
export const OPTION_NAMES: ReadonlySet<string> = new Set([
  "id",
  "queue",
  "max_time",
  "max_restart",
  "recurring_period",
  "stream",
  "stats_interval",
  "log_levels",
  "tags",
  "limits",
]);

const NAMES: ReadonlySet<string> = new Set(["command", "arguments", ...OPTION_NAMES]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AgentError("E_COMMAND", `Cannot decode a command: ${errorText(error)}`, {
      cause: error,
    });
  }
}

/** Copies only when a name is written in another case, which no known client does. */
function exactNames(members: Members): Members {
  const others = Object.keys(members).filter((name) => !NAMES.has(name));
  if (others.length === 0) return members;
  const result: Record<string, unknown> = {};
  for (const name of NAMES) if (Object.hasOwn(members, name)) result[name] = members[name];
  for (const other of others) {
    const name = other.toLowerCase();
    if (NAMES.has(name) && !Object.hasOwn(members, name)) result[name] = members[other];
  }
  return result;
}

function text(members: Members, name: string): string {
  return toText(members[name], name);
}

function toText(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw wrong(name, value, "a string");
  return value;
}

function integer(members: Members, name: string): number {
  return toInteger(members[name], name);
}

function toInteger(value: unknown, name: string): number {
  if (value === undefined || value === null) return 0;
  if (!Number.isSafeInteger(value)) throw wrong(name, value, "an integer");
  return value as number;
}

function boolean(members: Members, name: string): boolean {
  const value = members[name] ?? false;
  if (typeof value !== "boolean") throw wrong(name, value, "true or false");
  return value;
}

function limits(value: unknown): Pick<CommandObject, "limits"> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw wrong("limits", value, "an object");
  const limit = (name: string): number => {
    const number = toInteger((value as Members)[name], `limits.${name}`);
    if (number < 0) throw wrong(`limits.${name}`, number, "0 or more");
    return number;
  };
  return { limits: { memory: limit("memory"), pids: limit("pids"), cpu: limit("cpu") } };
}

function list<T>(
  members: Members,
  name: string,
  item: (value: unknown, name: string) => T,
): T[] | null {
  const value = members[name] ?? null;
  if (value === null) return null;
  if (!Array.isArray(value)) throw wrong(name, value, "an array");
  return value.map((element, index) => item(element, `${name}[${index}]`));
}

function wrong(name: string, value: unknown, wanted: string): AgentError {
  const seen = (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return new AgentError("E_COMMAND", `Cannot use ${name}: ${seen} seen, expected ${wanted}`, {
    fields: { member: name },
  });
}
