import type { Bytes } from "../../resp/bytes.ts";
import { array, integer, nil, type Reply } from "../../resp/encode.ts";
import { encodeValue, type ReplyValue } from "../../resp/encode-value.ts";
import type { CommandTable } from "../command-table.ts";
import { flagSet, type RedisCommand, redisCommand } from "../redis-command.ts";
import type { Session } from "../session.ts";
import { refusal, word } from "./words.ts";

/** `COMMAND …`: what clients and people learn the commands from. */
export function commandCommands(table: CommandTable): RedisCommand[] {
  const all = (): RedisCommand[] => table.list();
  const run: Record<string, (session: Session, names: readonly Bytes[]) => Reply> = {
    COUNT: () => integer(all().length),
    LIST: (session) =>
      encodeValue(
        all().map((command) => command.name),
        session.protocol,
      ),
    INFO: (session, names) =>
      names.length === 0
        ? encodeValue(all().map(describe), session.protocol)
        : array(names.map((name) => describeNamed(table, name, session))),
    DOCS: (session, names) => {
      const found = names.length === 0 ? all() : names.flatMap((name) => table.find(name) ?? []);
      const docs = new Map(found.map((command) => [command.name, document(command)]));
      return encodeValue(docs, session.protocol);
    },
  };
  return [
    redisCommand({
      name: "command",
      syntax: "[COUNT|LIST|INFO|DOCS] [name...]",
      arity: -1,
      flags: ["fast"],
      summary: "The commands of this node and their arguments",
      group: "server",
      run: (session, words) => {
        if (words.length === 1) return encodeValue(all().map(describe), session.protocol);
        const known = run[word(words, 1).toUpperCase()];
        if (known !== undefined) return known(session, words.slice(2));
        throw refusal(`ERR unknown subcommand '${word(words, 1).slice(0, 128)}'`);
      },
    }),
  ];
}

function describeNamed(table: CommandTable, name: Bytes, session: Session): Reply {
  const command = table.find(name);
  if (command === undefined) return nil(session.protocol);
  return encodeValue(describe(command), session.protocol);
}

/** The ten members of COMMAND INFO: name, arity, flags, keys, categories, tips, specs, subcommands. */
function describe(command: RedisCommand): ReplyValue {
  return [
    command.name,
    command.arity,
    flagSet(command.flags),
    ...command.keys,
    new Set<string>(),
    [],
    [],
    [],
  ];
}

function document(command: RedisCommand): ReplyValue {
  return new Map<string, ReplyValue>([
    ["summary", command.summary],
    ["since", "0.1.0"],
    ["group", command.group],
    ["arguments", command.arguments],
  ]);
}
