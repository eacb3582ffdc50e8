import { matchesGlob } from "../../keyspace/glob.ts";
import type { Keyspace } from "../../keyspace/keyspace.ts";
import type { ScanOptions } from "../../keyspace/scanner.ts";
import type { Store } from "../../keyspace/store.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { array, bulk, bulks, integer, simple } from "../../resp/encode.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import { expiryCommands } from "./expiry-commands.ts";
import { parseInteger, refusal, syntaxError, word } from "./words.ts";

/** Commands on keys of any type. */
export function keyCommands(keyspace: Keyspace): RedisCommand[] {
  const { store, scanner } = keyspace;
  return [
    deleteCommand(store, "del"),
    deleteCommand(store, "unlink"),
    existsCommand(store, "exists", -2),
    // Old clients know this name, which a predecessor's proxy turned into EXISTS (protocol 1.4).
    existsCommand(store, "lkeyexists", 2),
    ...expiryCommands(store),
    redisCommand({
      name: "type",
      syntax: "key",
      arity: 2,
      flags: ["readonly", "fast"],
      keys: [1, 1, 1],
      summary: "Kind of value: list, string or none",
      group: "generic",
      run: (_, words) => simple(store.get(word(words, 1))?.type ?? "none"),
    }),
    redisCommand({
      name: "keys",
      syntax: "pattern",
      arity: 2,
      flags: ["readonly"],
      summary: "All keys that match a pattern",
      group: "generic",
      run: (_, words) => bulks(matchingKeys(store, word(words, 1))),
    }),
    redisCommand({
      name: "scan",
      syntax: "cursor [MATCH] [pattern] [COUNT] [count] [TYPE] [type]",
      arity: -2,
      flags: ["readonly"],
      summary: "Some keys, and a cursor to go on with",
      group: "generic",
      run: (_, words) => {
        const cursorWord = word(words, 1);
        if (!/^\d{1,15}$/.test(cursorWord)) throw refusal("ERR invalid cursor");
        const { cursor, keys } = scanner.scan(Number(cursorWord), parseScanOptions(words));
        return array([bulk(String(cursor)), bulks(keys)]);
      },
    }),
    redisCommand({
      name: "dbsize",
      syntax: "",
      arity: 1,
      flags: ["readonly", "fast"],
      summary: "Number of keys",
      group: "server",
      run: () => integer(store.size),
    }),
    refuseFlush("flushall"),
    refuseFlush("flushdb"),
  ];
}

function matchingKeys(store: Store, pattern: Bytes): Bytes[] {
  const keys: Bytes[] = [];
  for (const { key } of store.entries()) if (matchesGlob(pattern, key)) keys.push(key);
  return keys;
}

function parseScanOptions(words: readonly Bytes[]): ScanOptions {
  let options: ScanOptions = { count: DEFAULT_SCAN_COUNT };
  for (let at = 2; at < words.length; at += 2) {
    const value = words[at + 1];
    if (value === undefined) throw syntaxError();
    switch (word(words, at).toUpperCase()) {
      case "MATCH":
        options = { ...options, pattern: value };
        break;
      case "COUNT":
        options = { ...options, count: parseInteger(value) };
        if (options.count < 1) throw syntaxError();
        break;
      case "TYPE":
        options = { ...options, type: value.toLowerCase() };
        break;
      default:
        throw syntaxError();
    }
  }
  return options;
}

const DEFAULT_SCAN_COUNT = 10;

function deleteCommand(store: Store, name: string): RedisCommand {
  return redisCommand({
    name,
    syntax: "key...",
    arity: -2,
    flags: ["write"],
    keys: [1, -1, 1],
    summary: "Removes keys",
    group: "generic",
    run: (_, words) => {
      let removed = 0;
      for (let at = 1; at < words.length; at += 1) {
        const entry = store.get(word(words, at));
        if (entry === undefined) continue;
        store.remove(entry);
        removed += 1;
      }
      return integer(removed);
    },
  });
}

function existsCommand(store: Store, name: string, arity: number): RedisCommand {
  return redisCommand({
    name,
    syntax: arity < 0 ? "key..." : "key",
    arity,
    flags: ["readonly", "fast"],
    keys: [1, arity < 0 ? -1 : 1, 1],
    summary: "How many of the keys exist",
    group: "generic",
    run: (_, words) => {
      let found = 0;
      for (let at = 1; at < words.length; at += 1) {
        if (store.get(word(words, at)) !== undefined) found += 1;
      }
      return integer(found);
    },
  });
}

function refuseFlush(name: string): RedisCommand {
  return redisCommand({
    name,
    syntax: "",
    arity: -1,
    flags: ["write"],
    summary: "Refused: the keys are the state of running jobs",
    group: "server",
    run: () => {
      throw refusal(`ERR '${name}' is refused: the keys are the state of running jobs`);
    },
  });
}
