import type { Clock } from "../../base/clock.ts";
import { type Bytes, bytesOfText } from "../../resp/bytes.ts";
import { bulk, integer, nil, OK, type Reply, verbatim } from "../../resp/encode.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import type { Session } from "../session.ts";
import { refusal, syntaxError, word } from "./words.ts";

export interface ClientCommandOptions {
  readonly clock: Clock;
  /** All open connections. */
  readonly sessions: () => Iterable<Session>;
}

/** `CLIENT …` */
export function clientCommands({ clock, sessions }: ClientCommandOptions): RedisCommand[] {
  const run: Record<string, (session: Session, words: readonly Bytes[]) => Reply> = {
    ID: (session) => integer(session.id),
    GETNAME: (session) => (session.name === "" ? nil(session.protocol) : bulk(session.name)),
    SETNAME: (session, words) => {
      session.name = checkName(required(words, 2));
      return OK;
    },
    SETINFO: (session, words) => {
      const value = checkName(required(words, 3));
      const option = word(words, 2).toUpperCase();
      if (option === "LIB-NAME") session.libraryName = value;
      else if (option === "LIB-VER") session.libraryVersion = value;
      else throw refusal(`ERR Unrecognized option '${word(words, 2)}'`);
      return OK;
    },
    INFO: (session) => verbatim(`${line(session, clock.monotonicMs())}\n`, session.protocol),
    LIST: (session) => {
      const nowMs = clock.monotonicMs();
      const lines = [...sessions()].map((one) => `${line(one, nowMs)}\n`);
      return verbatim(lines.join(""), session.protocol);
    },
    "NO-EVICT": (_, words) => onOrOff(words),
    "NO-TOUCH": (_, words) => onOrOff(words),
  };
  return [
    redisCommand({
      name: "client",
      syntax: "ID|GETNAME|SETNAME|SETINFO|INFO|LIST|NO-EVICT|NO-TOUCH [argument...]",
      arity: -2,
      flags: ["fast"],
      summary: "About this connection and the others",
      group: "connection",
      run: (session, words) => {
        const known = run[word(words, 1).toUpperCase()];
        if (known !== undefined) return known(session, words);
        throw refusal(`ERR unknown subcommand '${word(words, 1).slice(0, 128)}'`);
      },
    }),
  ];
}

/** Names stand in the lines of CLIENT LIST, so they may not hold what separates there. */
export function checkName(name: Bytes): Bytes {
  if (/^[\x21-\x7e]*$/.test(name)) return name;
  throw refusal("ERR Client names cannot contain spaces, newlines or special characters.");
}

function required(words: readonly Bytes[], index: number): Bytes {
  if (words.length === index + 1) return word(words, index);
  const subcommand = word(words, 1).toLowerCase();
  throw refusal(`ERR wrong number of arguments for 'client|${subcommand}' command`);
}

function onOrOff(words: readonly Bytes[]): Reply {
  const value = required(words, 2).toUpperCase();
  if (value !== "ON" && value !== "OFF") throw syntaxError();
  return OK;
}

function line(session: Session, nowMs: number): Bytes {
  const seconds = (sinceMs: number): number => Math.floor((nowMs - sinceMs) / 1000);
  const fields = {
    id: session.id,
    addr: session.peer.remote,
    laddr: session.peer.local,
    name: session.name,
    age: seconds(session.connectedMs),
    idle: seconds(session.lastActiveMs),
    flags: flagsOf(session),
    db: 0,
    sub: session.subscriptions,
    omem: session.unsentBytes,
    cmd: session.lastCommand || "NULL",
    user: session.user?.name ?? "",
    "lib-name": session.libraryName,
    "lib-ver": session.libraryVersion,
    resp: session.protocol,
  };
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return bytesOfText(pairs.join(" "));
}

/** As Redis writes them: b blocked, P subscribed, U unix socket, N none. */
function flagsOf({ isBlocked, subscriptions, peer }: Session): string {
  return `${isBlocked ? "b" : ""}${subscriptions > 0 ? "P" : ""}${peer.isLocal ? "U" : ""}` || "N";
}
