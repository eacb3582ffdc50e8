import type { Bytes } from "../resp/bytes.ts";
import type { Protocol, Reply } from "../resp/encode.ts";
import {
  encodeMessage,
  type ListKind,
  type Occurrence,
  type PushChannels,
} from "./push-channels.ts";
import type { Session } from "./session.ts";

/** Where a message belongs. */
interface Place {
  readonly kind: ListKind;
  /** The channel, or the pattern. */
  readonly name: Bytes;
}

/**
 * What one client listens to. A client that is too slow loses messages: for each of its channels it is
 * told how many, `{"missed":N}`, and ends of jobs are given to it then.
 */
export class PushSubscriber {
  readonly #session: Session;
  readonly #channels: PushChannels;
  readonly #names: Readonly<Record<ListKind, Set<Bytes>>> = {
    channels: new Set(),
    patterns: new Set(),
  };
  /** By kind and name. */
  readonly #missed = new Map<string, Place & { count: number }>();
  /** Nothing large: until its client takes it, an end is only a promise to make it again. */
  readonly #lateEnds = new Map<string, Place & { channel: Bytes; later: () => Bytes }>();

  /** @param onGone The connection has ended or begun anew. */
  constructor(session: Session, channels: PushChannels, onGone: () => void) {
    this.#session = session;
    this.#channels = channels;
    session.gapNotice = () => this.#tellGaps();
    session.onClose(() => {
      for (const kind of ["channels", "patterns"] as const) {
        for (const name of this.names(kind)) this.remove(kind, name);
      }
      onGone();
    });
  }

  get protocol(): Protocol {
    return this.#session.protocol;
  }

  get size(): number {
    return this.#names.channels.size + this.#names.patterns.size;
  }

  names(kind: ListKind): Bytes[] {
    return [...this.#names[kind]];
  }

  has(kind: ListKind, name: Bytes): boolean {
    return this.#names[kind].has(name);
  }

  add(kind: ListKind, name: Bytes): void {
    this.#names[kind].add(name);
    this.#channels.add(kind, name, this);
    this.#session.subscriptions = this.size;
  }

  remove(kind: ListKind, name: Bytes): void {
    if (!this.#names[kind].delete(name)) return;
    this.#channels.remove(kind, name, this);
    this.#session.subscriptions = this.size;
    this.#missed.delete(keyOf({ kind, name }));
    for (const [key, end] of this.#lateEnds) {
      if (end.kind === kind && end.name === name) this.#lateEnds.delete(key);
    }
  }

  /** @param message The occurrence, encoded for {@link protocol}. */
  give(message: Reply, { kind, name, occurrence }: Place & { occurrence: Occurrence }): void {
    if (this.#session.push(message)) return;
    const place = { kind, name };
    const { channel, later } = occurrence;
    if (later !== undefined && this.#lateEnds.size < LATE_ENDS) {
      this.#lateEnds.set(`${keyOf(place)} ${channel}`, { ...place, channel, later });
      return;
    }
    const gap = this.#missed.get(keyOf(place));
    if (gap === undefined) this.#missed.set(keyOf(place), { ...place, count: 1 });
    else gap.count += 1;
  }

  /** The client takes messages again. */
  #tellGaps(): Reply {
    const gaps = [...this.#missed.values()].map(({ kind, name, count }) =>
      encodeMessage({ kind, name, channel: name, payload: `{"missed":${count}}` }, this.protocol),
    );
    this.#missed.clear();
    // Results are large: one at a time, and on only while the client takes them.
    if (this.#lateEnds.size > 0) queueMicrotask(() => this.#sendLateEnds());
    return gaps.join("");
  }

  #sendLateEnds(): void {
    for (const [key, { kind, name, channel, later }] of this.#lateEnds) {
      const message = encodeMessage({ kind, name, channel, payload: later() }, this.protocol);
      // Refused again, it waits for the next notice.
      if (!this.#session.push(message)) return;
      this.#lateEnds.delete(key);
    }
  }
}

const LATE_ENDS = 1024;

const keyOf = ({ kind, name }: Place): string => `${kind} ${name}`;
