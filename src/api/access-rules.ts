import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { Access } from "../command/command.ts";
import { decodeCommand } from "../job/decode.ts";
import type { CommandObject } from "../job/types.ts";
import { matchesGlob } from "../keyspace/glob.ts";
import type { Store } from "../keyspace/store.ts";
import { type Bytes, bytesOfText, textOfBytes } from "../resp/bytes.ts";
import type { Counters } from "./counters.ts";
import { JOB_QUEUE_KEY } from "./job-queue.ts";
import { OwnedJobs } from "./owned-jobs.ts";
import { refusal, word } from "./redis/words.ts";
import type { RedisCommand } from "./redis-command.ts";
import type { CommandRegistry } from "./registry.ts";
import type { Session } from "./session.ts";
import { isUnrestricted, type Role, type SessionUser } from "./users.ts";

export interface AccessRulesOptions {
  readonly registry: CommandRegistry;
  readonly store: Store;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Decides what users may do. What is not allowed here in so many words is refused. */
export class AccessRules {
  readonly #registry: CommandRegistry;
  readonly #counters: Counters;
  readonly #owned: OwnedJobs;

  constructor(options: AccessRulesOptions) {
    this.#registry = options.registry;
    this.#counters = options.counters;
    this.#owned = new OwnedJobs(options.store, options.clock);
  }

  /** @throws AgentError `E_REQUEST` when this request is not for this user. */
  checkRequest(session: Session, command: RedisCommand, words: readonly Bytes[]): void {
    const { user } = session;
    if (user === null || isUnrestricted(user)) return;
    switch (command.access) {
      case "all":
      case "job":
        break;
      case "values":
        this.#checkKeys(user, keysOf(command, words), READABLE);
        break;
      case "rotate":
        if (word(words, 1) !== word(words, 2)) this.#refuse(KEY_TEXT);
        this.#checkKeys(user, [word(words, 1)], ROTATABLE);
        break;
      case "take":
        this.#checkKeys(user, keysOf(command, words), TAKEABLE);
        break;
      case "submit":
        if (word(words, 1) !== JOB_QUEUE_KEY) this.#refuse(KEY_TEXT);
        for (const value of words.slice(2)) this.checkJob(session, this.#decode(value));
        break;
      case "listen":
        this.#checkChannels(user, words.slice(1));
        break;
      case "admin":
        this.#refuse(commandText(command.name));
    }
  }

  /** @throws AgentError `E_REQUEST` when this job is not for this user. */
  checkJob({ user }: Session, object: CommandObject): void {
    if (user === null) throw refusal("NOAUTH Authentication required.");
    if (isUnrestricted(user)) return;
    const { command: name, id } = object;
    const command = this.#registry.get(name);
    if (command === undefined || !mayRun(user, name, command.access)) {
      this.#refuse(commandText(bytesOfText(name.slice(0, 128))));
    }
    if (user.role !== "reader") return;
    if (object.queue !== "" || object.maxRestart !== 0 || object.recurringPeriod !== 0) {
      this.#refuse("NOPERM a reader cannot set queue, max_restart and recurring_period");
    }
    if (!UUID.test(id) || !this.#owned.claim(user.name, id)) {
      this.#refuse("NOPERM the id of a reader's job must be a UUID that no other job has");
    }
  }

  /** As it will be decoded when its turn comes. */
  #decode(value: Bytes): CommandObject {
    try {
      return decodeCommand(textOfBytes(value));
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#refuse("NOPERM what cannot be decoded is not for this user to submit");
    }
  }

  #checkKeys(
    user: SessionUser,
    keys: readonly Bytes[],
    { own, prefixes }: { own: RegExp; prefixes: Readonly<Record<Role, readonly string[]>> },
  ): void {
    for (const key of keys) {
      const isOpen = prefixes[user.role].some((prefix) => key.startsWith(prefix));
      const [, id] = isOpen ? [] : (own.exec(key) ?? []);
      if (!isOpen && (id === undefined || !this.#owned.isOwn(user.name, id))) {
        this.#refuse(KEY_TEXT);
      }
    }
  }

  #checkChannels(user: SessionUser, channels: readonly Bytes[]): void {
    if (user.role !== "reader") return;
    for (const channel of channels) {
      const [, id] = /^job:(.+)$/s.exec(channel) ?? [];
      const isOwn = id !== undefined && this.#owned.isOwn(user.name, id);
      if (channel !== BOOT_CHANNEL && !isOwn) this.#refuse(CHANNEL_TEXT);
    }
  }

  #refuse(text: Bytes): never {
    this.#counters.permissionsDenied += 1;
    throw refusal(text);
  }
}

/** Operators see all there is; a reader what belongs to jobs of its own, and figures. */
const READABLE = {
  own: /^(?:result|stream):([0-9a-f-]{36})(?::flag)?$/i,
  prefixes: { reader: ["statistics:"], operator: [""], admin: [""] },
};
const ROTATABLE = {
  own: /^result:([0-9a-f-]{36})(?::flag)?$/i,
  prefixes: { reader: [], operator: ["result:"], admin: ["result:"] },
};
const COLLECTED = ["stream:", "logger:", "statistics:"];
const TAKEABLE = {
  own: /^stream:([0-9a-f-]{36})$/i,
  prefixes: { reader: [], operator: COLLECTED, admin: COLLECTED },
};
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BOOT_CHANNEL = "boot";

/** As Redis 7.0 says it. */
const KEY_TEXT = "NOPERM this user has no permissions to access one of the keys used as arguments";
const CHANNEL_TEXT =
  "NOPERM this user has no permissions to access one of the channels used as arguments";
const commandText = (name: Bytes): Bytes =>
  `NOPERM this user has no permissions to run the '${name}' command`;

const RANKS: Readonly<Record<Role, readonly Access[]>> = {
  reader: ["read"],
  operator: ["read", "operate"],
  admin: ["read", "operate", "admin"],
};

function mayRun({ role, allow }: SessionUser, name: string, access: Access): boolean {
  if (!RANKS[role].includes(access)) return false;
  return allow === null || allow.some((pattern) => matchesGlob(pattern, name));
}

function keysOf({ keys }: RedisCommand, words: readonly Bytes[]): Bytes[] {
  const [first, last, step] = keys;
  const end = last < 0 ? words.length + last : last;
  const found: Bytes[] = [];
  for (let at = first; at <= end && at < words.length; at += step) found.push(word(words, at));
  return found;
}
