import { matchesGlob } from "../../keyspace/glob.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { array, bulk, bulks, integer, nil, push, type Reply } from "../../resp/encode.ts";
import { encodeMessage, isGlob, type ListKind } from "../push-channels.ts";
import { MAX_NAME_BYTES, type PushHub } from "../push-hub.ts";
import type { PushSubscriber } from "../push-subscriber.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import type { Session } from "../session.ts";
import { refusal, word } from "./words.ts";

/** Subscriptions to what happens on the node. Clients cannot publish. */
export function pubsubCommands(hub: PushHub): RedisCommand[] {
  return [
    redisCommand({
      name: "subscribe",
      syntax: "channel...",
      arity: -2,
      summary: "Listens to job:<id>, log or boot",
      group: "pubsub",
      run: (session, words) => subscribe(hub, session, words.slice(1)),
    }),
    redisCommand({
      name: "unsubscribe",
      syntax: "[channel...]",
      arity: -1,
      summary: "Ends subscriptions, all of them without arguments",
      group: "pubsub",
      run: (session, words) => leave(hub.subscriberOf(session), "channels", words.slice(1)),
    }),
    redisCommand({
      name: "psubscribe",
      syntax: "pattern...",
      arity: -2,
      summary: "Listens to all channels a pattern fits, those of later jobs too",
      group: "pubsub",
      run: (session, words) => {
        const subscriber = hub.subscriberOf(session);
        const patterns = words.slice(1);
        checkRoom(hub, subscriber, "patterns", patterns);
        return patterns.map((pattern) => join(subscriber, "patterns", pattern)).join("");
      },
    }),
    redisCommand({
      name: "punsubscribe",
      syntax: "[pattern...]",
      arity: -1,
      summary: "Ends subscriptions to patterns, all of them without arguments",
      group: "pubsub",
      run: (session, words) => leave(hub.subscriberOf(session), "patterns", words.slice(1)),
    }),
    redisCommand({
      name: "pubsub",
      syntax: "CHANNELS|NUMSUB|NUMPAT [argument...]",
      arity: -2,
      summary: "Which channels somebody listens to",
      group: "pubsub",
      run: (_, words) => about(hub, words),
    }),
  ];
}

/** All channels or none: a client that names one that does not exist would wait for ever. */
function subscribe(hub: PushHub, session: Session, channels: readonly Bytes[]): Reply {
  const subscriber = hub.subscriberOf(session);
  checkRoom(hub, subscriber, "channels", channels);
  const replays = new Map<Bytes, readonly Bytes[]>();
  for (const channel of channels) {
    if (subscriber.has("channels", channel)) continue;
    const payloads = hub.replay(channel);
    if (payloads === undefined) throw noChannel(channel);
    replays.set(channel, payloads);
  }
  let reply = "";
  for (const channel of channels) {
    reply += join(subscriber, "channels", channel);
    const payloads = replays.get(channel) ?? [];
    replays.delete(channel);
    for (const payload of within(payloads, MAX_REPLAY_BYTES - reply.length)) {
      reply += encodeMessage(
        { kind: "channels", name: channel, channel, payload },
        session.protocol,
      );
    }
  }
  return reply;
}

function within(payloads: readonly Bytes[], room: number): readonly Bytes[] {
  const size = payloads.reduce((sum, payload) => sum + payload.length, 0);
  return size <= room || size === 0 ? payloads : [`{"missed":${payloads.length}}`];
}

/** What is replayed within one request; the last messages of a job can be 12 MiB. */
const MAX_REPLAY_BYTES = 64 * 1024 * 1024;

function join(subscriber: PushSubscriber, kind: ListKind, name: Bytes): Reply {
  subscriber.add(kind, name);
  return notice(subscriber, kind === "channels" ? "subscribe" : "psubscribe", name);
}

function leave(subscriber: PushSubscriber, kind: ListKind, wanted: readonly Bytes[]): Reply {
  const verb = kind === "channels" ? "unsubscribe" : "punsubscribe";
  const names = wanted.length > 0 ? wanted : subscriber.names(kind);
  if (names.length === 0) return notice(subscriber, verb, null);
  return names
    .map((name) => {
      subscriber.remove(kind, name);
      return notice(subscriber, verb, name);
    })
    .join("");
}

function notice(subscriber: PushSubscriber, verb: string, name: Bytes | null): Reply {
  const { protocol, size } = subscriber;
  return push([bulk(verb), name === null ? nil(protocol) : bulk(name), integer(size)], protocol);
}

function checkRoom(
  hub: PushHub,
  subscriber: PushSubscriber,
  kind: ListKind,
  names: readonly Bytes[],
): void {
  const globs = kind === "patterns" ? names.filter(isGlob) : [];
  checkLength(names, MAX_NAME_BYTES);
  checkLength(globs, MAX_GLOB_BYTES);
  const added = new Set(names.filter((name) => !subscriber.has(kind, name))).size;
  if (subscriber.size + added > MAX_SUBSCRIPTIONS) {
    throw refusal(`ERR too many subscriptions, expected at most ${MAX_SUBSCRIPTIONS}`);
  }
  if (!hub.channels.hasRoom(added, [...new Set(globs)])) {
    throw refusal("ERR too many subscriptions of all clients together");
  }
}

function checkLength(names: readonly Bytes[], limit: number): void {
  const long = names.find((name) => name.length > limit);
  if (long !== undefined) {
    throw refusal(`ERR name of ${long.length} bytes, expected at most ${limit}`);
  }
}

/** Of one connection. */
const MAX_SUBSCRIPTIONS = 1024;
/** Matching takes the length of the pattern times that of the name. */
const MAX_GLOB_BYTES = 128;

function noChannel(channel: Bytes): Error {
  const seen = `'${channel.slice(0, 128)}'`;
  return refusal(
    `ERR no channel ${seen}, expected job:<id> of a job that is queued, running or has a result, ` +
      "log, or boot",
  );
}

function about(hub: PushHub, words: readonly Bytes[]): Reply {
  const { channels } = hub;
  const subcommand = word(words, 1).toUpperCase();
  if (subcommand === "CHANNELS" && words.length <= 3) {
    const pattern = words[2] ?? "*";
    return bulks(channels.names().filter((name) => matchesGlob(pattern, name)));
  }
  if (subcommand === "NUMSUB") {
    const counts = words.slice(2).map((name) => bulk(name) + integer(channels.count(name)));
    return `*${counts.length * 2}\r\n${counts.join("")}`;
  }
  if (subcommand === "NUMPAT" && words.length === 2) return integer(channels.patternCount);
  if (subcommand === "HELP") return array(HELP.map(bulk));
  throw refusal(
    `ERR unknown subcommand or wrong number of arguments for '${word(words, 1).slice(0, 128)}'. Try PUBSUB HELP.`,
  );
}

const HELP = [
  "PUBSUB CHANNELS [pattern]: channels somebody listens to",
  "PUBSUB NUMSUB [channel ...]: how many listen to each",
  "PUBSUB NUMPAT: how many patterns there are",
];
