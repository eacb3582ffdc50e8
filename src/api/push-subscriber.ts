import type { Bytes } from "../resp/bytes.ts";
import type { Protocol, Reply } from "../resp/encode.ts";
import type { Debtor, PushBudget } from "./push-budget.ts";
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
export class PushSubscriber implements Debtor {
  readonly #session: Session;
  readonly #channels: PushChannels;
  readonly #budget: PushBudget;
  readonly #names: Readonly<Record<ListKind, Set<Bytes>>> = {
    channels: new Set(),
    patterns: new Set(),
  };
  /** By kind and name. */
  readonly #missed = new Map<string, Place & { count: number }>();
  /** Nothing large: until its client takes it, an end is only a promise to make it again. */
  readonly #lateEnds = new Map<string, Place & { channel: Bytes; later: () => Bytes }>();

  /** @param onGone The connection has ended or begun anew. */
  constructor(
    session: Session,
    parts: { readonly channels: PushChannels; readonly budget: PushBudget },
    onGone: () => void,
  ) {
    this.#session = session;
    this.#channels = parts.channels;
    this.#budget = parts.budget;
    session.gapNotice = () => this.#tellGaps();
    session.onClose(() => {
      for (const kind of ["channels", "patterns"] as const) {
        for (const name of this.names(kind)) this.remove(kind, name);
      }
      this.#budget.forget(this);
      onGone();
    });
  }

  get protocol(): Protocol {
    return this.#session.protocol;
  }

  get unsentBytes(): number {
    return this.#session.unsentBytes;
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
    if (this.#budget.grants(this, message.length) && this.#send(message)) return;
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

  /** The budget has room again, perhaps. */
  catchUp(): void {
    const isTold =
      this.#missed.size === 0 ||
      (this.#budget.grants(this, this.#gapText().length) && this.#send(""));
    if (isTold) this.#sendLateEnds();
  }

  /** The client takes messages again. */
  #tellGaps(): Reply {
    const gaps = this.#gapText();
    this.#missed.clear();
    // Results are large: one at a time, and on only while the client takes them.
    if (this.#lateEnds.size > 0) queueMicrotask(() => this.#sendLateEnds());
    return gaps;
  }

  #gapText(): Reply {
    let text = "";
    for (const { kind, name, count } of this.#missed.values()) {
      const payload = `{"missed":${count}}`;
      text += encodeMessage({ kind, name, channel: name, payload }, this.protocol);
    }
    return text;
  }

  #sendLateEnds(): void {
    for (const [key, { kind, name, channel, later }] of this.#lateEnds) {
      const message = encodeMessage({ kind, name, channel, payload: later() }, this.protocol);
      // Refused again, it waits for the next occasion.
      if (!this.#budget.grants(this, message.length) || !this.#send(message)) return;
      this.#lateEnds.delete(key);
    }
  }

  /** What was missed is told before anything that came after it. */
  #send(message: Reply): boolean {
    const isTaken = this.#session.push(this.#gapText() + message);
    if (isTaken) this.#missed.clear();
    return isTaken;
  }
}

const LATE_ENDS = 1024;

const keyOf = ({ kind, name }: Place): string => `${kind} ${name}`;
