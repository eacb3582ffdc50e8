import type { Lists, Side } from "../../keyspace/lists.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { bulk, bulks, integer, nil, nilArray, OK } from "../../resp/encode.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import { parseInteger, refusal, syntaxError, word } from "./words.ts";

/** Commands on lists that answer at once. */
export function listCommands(lists: Lists): RedisCommand[] {
  return [
    pushCommand(lists, "rpush", "right"),
    pushCommand(lists, "lpush", "left"),
    popCommand(lists, "lpop", "left"),
    popCommand(lists, "rpop", "right"),
    redisCommand({
      name: "rpoplpush",
      syntax: "source destination",
      arity: 3,
      flags: ["write", "denyoom"],
      keys: [1, 2, 1],
      summary: "Moves the last element of a list to the front of another",
      group: "list",
      run: (session, words) => {
        const move = { source: word(words, 1), destination: word(words, 2) };
        const value = lists.move({ ...move, from: "right", to: "left" });
        return value === undefined ? nil(session.protocol) : bulk(value);
      },
    }),
    redisCommand({
      name: "lmove",
      syntax: "source destination LEFT|RIGHT LEFT|RIGHT",
      arity: 5,
      flags: ["write", "denyoom"],
      keys: [1, 2, 1],
      summary: "Moves an element from one end of a list to an end of another",
      group: "list",
      run: (session, words) => {
        const value = lists.move({
          source: word(words, 1),
          from: parseSide(word(words, 3)),
          destination: word(words, 2),
          to: parseSide(word(words, 4)),
        });
        return value === undefined ? nil(session.protocol) : bulk(value);
      },
    }),
    redisCommand({
      name: "llen",
      syntax: "key",
      arity: 2,
      flags: ["readonly", "fast"],
      keys: [1, 1, 1],
      summary: "Number of elements",
      group: "list",
      run: (_, words) => integer(lists.length(word(words, 1))),
    }),
    redisCommand({
      name: "lrange",
      syntax: "key start stop",
      arity: 4,
      flags: ["readonly"],
      keys: [1, 1, 1],
      summary: "Elements from start to stop, both included",
      group: "list",
      run: (_, words) => {
        const [start, stop] = [parseInteger(word(words, 2)), parseInteger(word(words, 3))];
        return bulks(lists.range(word(words, 1), start, stop));
      },
    }),
    redisCommand({
      name: "ltrim",
      syntax: "key start stop",
      arity: 4,
      flags: ["write"],
      keys: [1, 1, 1],
      summary: "Removes what is not between start and stop",
      group: "list",
      run: (_, words) => {
        const [start, stop] = [parseInteger(word(words, 2)), parseInteger(word(words, 3))];
        lists.trim(word(words, 1), start, stop);
        return OK;
      },
    }),
    redisCommand({
      name: "lindex",
      syntax: "key index",
      arity: 3,
      flags: ["readonly"],
      keys: [1, 1, 1],
      summary: "One element",
      group: "list",
      run: (session, words) => {
        const value = lists.index(word(words, 1), parseInteger(word(words, 2)));
        return value === undefined ? nil(session.protocol) : bulk(value);
      },
    }),
    redisCommand({
      name: "lrem",
      syntax: "key count element",
      arity: 4,
      flags: ["write"],
      keys: [1, 1, 1],
      summary: "Removes elements equal to the given one",
      group: "list",
      run: (_, words) => {
        const count = parseInteger(word(words, 2));
        return integer(lists.remove(word(words, 1), count, word(words, 3)));
      },
    }),
  ];
}

export function parseSide(bytes: Bytes): Side {
  const side = bytes.toLowerCase();
  if (side === "left" || side === "right") return side;
  throw syntaxError();
}

function pushCommand(lists: Lists, name: string, side: Side): RedisCommand {
  return redisCommand({
    name,
    syntax: "key element...",
    arity: -3,
    flags: ["write", "denyoom", "fast"],
    keys: [1, 1, 1],
    summary: side === "left" ? "Adds elements in front" : "Adds elements at the end",
    group: "list",
    run: (_, words) => integer(lists.push(word(words, 1), side, words.slice(2))),
  });
}

function popCommand(lists: Lists, name: string, side: Side): RedisCommand {
  return redisCommand({
    name,
    syntax: "key [count]",
    arity: -2,
    flags: ["write", "fast"],
    keys: [1, 1, 1],
    summary: side === "left" ? "Takes the first elements" : "Takes the last elements",
    group: "list",
    run: (session, words) => {
      if (words.length > 3) throw refusal(`ERR wrong number of arguments for '${name}' command`);
      const key = word(words, 1);
      if (words.length === 2) {
        const value = lists.pop(key, side);
        return value === undefined ? nil(session.protocol) : bulk(value);
      }
      const count = parseCount(word(words, 2));
      const values = lists.popMany(key, side, count);
      return values === undefined ? nilArray(session.protocol) : bulks(values);
    },
  });
}

function parseCount(bytes: Bytes): number {
  if (!/^\d{1,15}$/.test(bytes)) throw refusal("ERR value is out of range, must be positive");
  return Number(bytes);
}
