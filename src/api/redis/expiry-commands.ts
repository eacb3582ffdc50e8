import type { Entry, Store } from "../../keyspace/store.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { integer } from "../../resp/encode.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import { parseTtlMs, refusal, word } from "./words.ts";

export function expiryCommands(store: Store): RedisCommand[] {
  return [
    expireCommand(store, "expire", 1000),
    expireCommand(store, "pexpire", 1),
    ttlCommand(store, "ttl", 1000),
    ttlCommand(store, "pttl", 1),
    // Old clients know this name, which a predecessor's proxy turned into TTL (protocol 1.4).
    ttlCommand(store, "lttl", 1000),
    redisCommand({
      name: "persist",
      syntax: "key",
      arity: 2,
      flags: ["write", "fast"],
      keys: [1, 1, 1],
      summary: "Makes a key live until it is removed",
      group: "generic",
      run: (_, words) => {
        const entry = store.get(word(words, 1));
        if (entry === undefined || store.ttlMs(entry) === null) return integer(0);
        store.setExpiry(entry, null);
        return integer(1);
      },
    }),
  ];
}

function expireCommand(store: Store, name: string, unitMs: 1 | 1000): RedisCommand {
  return redisCommand({
    name,
    syntax: "key time [NX|XX|GT|LT]",
    arity: -3,
    flags: ["write", "fast"],
    keys: [1, 1, 1],
    summary: `Sets the time to live in ${unitMs === 1 ? "milliseconds" : "seconds"}`,
    group: "generic",
    run: (_, words) => {
      const ttlMs = parseTtlMs(word(words, 2), unitMs, name);
      const isAllowed = parseCondition(words.slice(3));
      const entry = store.get(word(words, 1));
      if (entry === undefined || !isAllowed(currentTtl(store, entry), ttlMs)) return integer(0);
      store.setExpiry(entry, ttlMs);
      return integer(1);
    },
  });
}

/** A key without expiry counts as one that lives for ever. */
const currentTtl = (store: Store, entry: Entry): number =>
  store.ttlMs(entry) ?? Number.POSITIVE_INFINITY;

type Condition = (currentMs: number, wantedMs: number) => boolean;

const CONDITIONS: Readonly<Record<string, Condition>> = {
  NX: (currentMs) => currentMs === Number.POSITIVE_INFINITY,
  XX: (currentMs) => currentMs !== Number.POSITIVE_INFINITY,
  GT: (currentMs, wantedMs) => wantedMs > currentMs,
  LT: (currentMs, wantedMs) => wantedMs < currentMs,
};

function parseCondition(options: readonly Bytes[]): Condition {
  const names = options.map((option) => option.toUpperCase());
  const conditions = names.map((name, index) => {
    const condition = CONDITIONS[name];
    if (condition === undefined) throw refusal(`ERR Unsupported option ${options[index]}`);
    return condition;
  });
  if (names.includes("NX") && names.length > 1) {
    throw refusal("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (names.includes("GT") && names.includes("LT")) {
    throw refusal("ERR GT and LT options at the same time are not compatible");
  }
  return (currentMs, wantedMs) => conditions.every((isMet) => isMet(currentMs, wantedMs));
}

function ttlCommand(store: Store, name: string, unitMs: 1 | 1000): RedisCommand {
  return redisCommand({
    name,
    syntax: "key",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: [1, 1, 1],
    summary: `Time to live in ${unitMs === 1 ? "milliseconds" : "seconds"}; -1 without, -2 no key`,
    group: "generic",
    run: (_, words) => {
      const entry = store.get(word(words, 1));
      if (entry === undefined) return integer(-2);
      const ttlMs = store.ttlMs(entry);
      return integer(ttlMs === null ? -1 : Math.round(ttlMs / unitMs));
    },
  });
}
