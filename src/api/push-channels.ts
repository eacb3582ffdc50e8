import { matchesGlob } from "../keyspace/glob.ts";
import { type Bytes, bytesOfText } from "../resp/bytes.ts";
import { bulk, type Protocol, push, type Reply } from "../resp/encode.ts";
import type { PushSubscriber } from "./push-subscriber.ts";

/** How a client came to a message: by the channel's name, or by a pattern that fits it. */
export type ListKind = "channels" | "patterns";

/** Something that happened on a channel. */
export interface Occurrence {
  readonly channel: Bytes;
  /** Made once, and only when somebody listens. */
  readonly payload: () => Bytes;
  /**
   * The end of a job: a client that is too slow for it gets it later. Makes it anew, because what waits
   * for a slow client must be small.
   */
  readonly later?: () => Bytes;
}

/** Who listens to which channel. Knows nothing of what the channels are about. */
export class PushChannels {
  /** Called when the first one begins to listen and when the last one has ended. */
  readonly #onUse: (isUsed: boolean) => void;
  readonly #listeners: Readonly<Record<ListKind, Map<Bytes, Set<PushSubscriber>>>> = {
    channels: new Map(),
    patterns: new Map(),
  };
  /** Those of the patterns that are more than a name. */
  readonly #globs = new Set<Bytes>();
  /** Which of them fit a channel: a job has many messages, and matching is not cheap. */
  readonly #fitting = new Map<Bytes, readonly Bytes[]>();
  #subscriptions = 0;

  constructor(onUse: (isUsed: boolean) => void) {
    this.#onUse = onUse;
  }

  get patternCount(): number {
    return this.#listeners.patterns.size;
  }

  /** Subscriptions of all clients, channels and patterns. */
  get subscriptionCount(): number {
    return this.#subscriptions;
  }

  /** Whether so many more could be added; `globs` are patterns that are more than a name. */
  hasRoom(count: number, globs: readonly Bytes[]): boolean {
    const added = globs.filter((glob) => !this.#globs.has(glob)).length;
    return (
      this.#subscriptions + count <= MAX_SUBSCRIPTIONS && this.#globs.size + added <= MAX_GLOBS
    );
  }

  /** Channels somebody listens to by name. */
  names(): Bytes[] {
    return [...this.#listeners.channels.keys()];
  }

  count(channel: Bytes): number {
    return this.#listeners.channels.get(channel)?.size ?? 0;
  }

  add(kind: ListKind, name: Bytes, subscriber: PushSubscriber): void {
    const wasUsed = this.#isUsed;
    const names = this.#listeners[kind];
    let subscribers = names.get(name);
    if (subscribers === undefined) {
      subscribers = new Set();
      names.set(name, subscribers);
      if (kind === "patterns" && isGlob(name)) {
        this.#globs.add(name);
        this.#fitting.clear();
      }
    }
    if (!subscribers.has(subscriber)) this.#subscriptions += 1;
    subscribers.add(subscriber);
    if (!wasUsed) this.#onUse(true);
  }

  remove(kind: ListKind, name: Bytes, subscriber: PushSubscriber): void {
    const names = this.#listeners[kind];
    const subscribers = names.get(name);
    if (subscribers?.delete(subscriber) !== true) return;
    this.#subscriptions -= 1;
    if (subscribers.size > 0) return;
    names.delete(name);
    if (kind === "patterns" && this.#globs.delete(name)) this.#fitting.clear();
    if (!this.#isUsed) this.#onUse(false);
  }

  publish(occurrence: Occurrence): void {
    const { channel } = occurrence;
    const { channels, patterns } = this.#listeners;
    let payload: Bytes | undefined;
    const give = (kind: ListKind, name: Bytes, subscribers: ReadonlySet<PushSubscriber>): void => {
      const encoded: Partial<Record<Protocol, Reply>> = {};
      // Only when somebody takes it: a job can be much faster than those who listen.
      const encode = (protocol: Protocol): Reply => {
        payload ??= occurrence.payload();
        encoded[protocol] ??= encodeMessage({ kind, name, channel, payload }, protocol);
        return encoded[protocol];
      };
      for (const subscriber of subscribers) subscriber.give({ kind, name, occurrence }, encode);
    };
    const direct = channels.get(channel);
    if (direct !== undefined) give("channels", channel, direct);
    const literal = patterns.get(channel);
    if (literal !== undefined && !this.#globs.has(channel)) give("patterns", channel, literal);
    if (this.#globs.size === 0) return;
    for (const pattern of this.#globsFor(channel)) {
      const subscribers = patterns.get(pattern);
      if (subscribers !== undefined) give("patterns", pattern, subscribers);
    }
  }

  get #isUsed(): boolean {
    return this.#listeners.channels.size > 0 || this.#listeners.patterns.size > 0;
  }

  #globsFor(channel: Bytes): readonly Bytes[] {
    const known = this.#fitting.get(channel);
    if (known !== undefined) return known;
    const fitting = [...this.#globs].filter((pattern) => matchesGlob(pattern, channel));
    if (this.#fitting.size >= REMEMBERED_CHANNELS) this.#fitting.clear();
    this.#fitting.set(channel, fitting);
    return fitting;
  }
}

const REMEMBERED_CHANNELS = 1024;
/** Of all clients together: names cost memory, and globs time whenever a job begins. */
const MAX_SUBSCRIPTIONS = 131_072;
const MAX_GLOBS = 256;

/** Whether a pattern can fit anything but its own text. */
export const isGlob = (pattern: Bytes): boolean => /[*?[\\]/.test(pattern);

/** The push of a message, as Redis has it. */
export function encodeMessage(
  message: { kind: ListKind; name: Bytes; channel: Bytes; payload: Bytes },
  protocol: Protocol,
): Reply {
  const { kind, name, channel, payload } = message;
  const items =
    kind === "channels" ? ["message", channel, payload] : ["pmessage", name, channel, payload];
  return push(items.map(bulk), protocol);
}

export const jobChannel = (id: string): Bytes => `${JOB_PREFIX}${bytesOfText(id)}`;

export const JOB_PREFIX = "job:";
