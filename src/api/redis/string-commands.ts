import type { SetOptions, Strings } from "../../keyspace/strings.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { bulk, nil, OK } from "../../resp/encode.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import { parseInteger, parseTtlMs, refusal, syntaxError, word } from "./words.ts";

export function stringCommands(strings: Strings): RedisCommand[] {
  return [
    redisCommand({
      name: "get",
      syntax: "key",
      arity: 2,
      flags: ["readonly", "fast"],
      keys: [1, 1, 1],
      summary: "The value of a string",
      group: "string",
      run: (session, words) => {
        const value = strings.get(word(words, 1));
        return value === undefined ? nil(session.protocol) : bulk(value);
      },
    }),
    redisCommand({
      name: "set",
      syntax: "key value [NX|XX] [GET] [EX|PX|KEEPTTL] [time]",
      arity: -3,
      flags: ["write", "denyoom"],
      keys: [1, 1, 1],
      summary: "Sets a key to a string",
      group: "string",
      run: (session, words) => {
        const [key, value] = [word(words, 1), word(words, 2)];
        const { wantsOld, ...options } = parseSetOptions(words);
        const old = wantsOld ? strings.get(key) : undefined;
        const isSet = strings.set(key, value, options);
        if (wantsOld) return old === undefined ? nil(session.protocol) : bulk(old);
        return isSet ? OK : nil(session.protocol);
      },
    }),
    addCommand(strings, "incr", () => 1n),
    addCommand(strings, "decr", () => -1n),
    addCommand(strings, "incrby", parseBig),
    addCommand(strings, "decrby", (bytes) => -parseBig(bytes)),
  ];
}

function parseSetOptions(words: readonly Bytes[]): SetOptions & { wantsOld: boolean } {
  let condition: SetOptions["condition"];
  let ttlMs: SetOptions["ttlMs"] = null;
  let wantsOld = false;
  for (let at = 3; at < words.length; at += 1) {
    const option = word(words, at).toUpperCase();
    if (option === "GET") {
      wantsOld = true;
    } else if ((option === "NX" || option === "XX") && condition === undefined) {
      condition = option === "NX" ? "absent" : "present";
    } else if (option === "KEEPTTL" && ttlMs === null) {
      ttlMs = "keep";
    } else if ((option === "EX" || option === "PX") && ttlMs === null && at + 1 < words.length) {
      at += 1;
      ttlMs = parseTtlMs(word(words, at), option === "EX" ? 1000 : 1, "set");
      if (ttlMs <= 0) throw refusal("ERR invalid expire time in 'set' command");
    } else {
      throw syntaxError();
    }
  }
  return { ttlMs, wantsOld, ...(condition === undefined ? {} : { condition }) };
}

function addCommand(strings: Strings, name: string, parse: (bytes: Bytes) => bigint): RedisCommand {
  const hasAmount = name.endsWith("by");
  return redisCommand({
    name,
    syntax: hasAmount ? "key amount" : "key",
    arity: hasAmount ? 3 : 2,
    flags: ["write", "denyoom", "fast"],
    keys: [1, 1, 1],
    summary: "Changes a whole number held in a string",
    group: "string",
    run: (_, words) => {
      const key = word(words, 1);
      const sum = parseBig(strings.get(key) ?? "0") + parse(words[2] ?? "");
      if (BigInt.asIntN(64, sum) !== sum) {
        throw refusal("ERR increment or decrement would overflow");
      }
      strings.update(key, String(sum));
      return `:${sum}\r\n`;
    },
  });
}

function parseBig(bytes: Bytes): bigint {
  parseInteger(bytes);
  return BigInt(bytes);
}
