import type { Bytes } from "../resp/bytes.ts";
import type { Reply } from "../resp/encode.ts";
import { type ReplyValue, Status } from "../resp/encode-value.ts";
import { type DataAccess, dataAccess } from "./data-access.ts";
import type { Session, Suspension } from "./session.ts";

export type CommandFlag =
  | "admin"
  | "blocking"
  | "denyoom"
  | "fast"
  | "loading"
  | "no_auth"
  | "readonly"
  | "stale"
  | "write";

/** One command of the Redis protocol, data commands and jobs alike. */
export interface RedisCommand {
  /** Lower case. */
  readonly name: string;
  /** Number of words with the name; negative: at least that many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly access: DataAccess;
  /** First key, last key (negative counts from the end), step; all 0 without keys. */
  readonly keys: readonly [number, number, number];
  readonly summary: string;
  readonly group: string;
  /** Argument documentation as `COMMAND DOCS` shows it. */
  readonly arguments: readonly ReplyValue[];
  /**
   * May throw AgentError with the client's text.
   *
   * @param words The request, its name included.
   * @param hidden The words behind the name where it may carry a password; they are empty in `words`,
   *   and wiped when this returns.
   */
  readonly run: (
    session: Session,
    words: readonly Bytes[],
    hidden: readonly Uint8Array[],
  ) => Reply | Suspension;
}

interface Definition {
  readonly name: string;
  /** How the words behind the name look: `key element...`, `[count]`, `LEFT|RIGHT`. */
  readonly syntax: string;
  readonly arity: number;
  readonly flags?: readonly CommandFlag[];
  readonly keys?: readonly [number, number, number];
  readonly summary: string;
  readonly group: "connection" | "generic" | "list" | "pubsub" | "server" | "string";
  readonly run: RedisCommand["run"];
}

/** Completes a definition of a data command. */
export function redisCommand(definition: Definition): RedisCommand {
  return {
    flags: [],
    access: dataAccess(definition.name) ?? "admin",
    keys: [0, 0, 0],
    ...definition,
    arguments: definition.syntax.split(" ").filter(Boolean).map(documentWord),
  };
}

function documentWord(word: string): ReplyValue {
  const isOptional = word.startsWith("[");
  const isMultiple = word.includes("...");
  const name = word.replaceAll(/[[\].]/g, "");
  const isKey = name === "key" || name === "source" || name === "destination";
  const flags = [...(isOptional ? ["optional"] : []), ...(isMultiple ? ["multiple"] : [])];
  return new Map<string, ReplyValue>([
    ["name", name.toLowerCase()],
    ["display_text", name],
    ["type", isKey ? "key" : "string"],
    ...(flags.length > 0 ? [["flags", flagSet(flags)] as const] : []),
  ]);
}

/** Flags as redis-cli demands them: it ends itself over any other type. */
export const flagSet = (flags: readonly string[]): ReadonlySet<ReplyValue> =>
  new Set(flags.map((flag) => new Status(flag)));

/** Commands whose words, once stored, count against the memory limit. */
export const isGrowing = (command: RedisCommand): boolean => command.flags.includes("denyoom");
