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
  readonly #missed: Readonly<Record<ListKind, Map<Bytes, number>>> = {
    channels: new Map(),
    patterns: new Map(),
  };
  /** Nothing large: until its client takes it, an end is only a promise to make it again. */
  readonly #lateEnds = new Map<string, Place & { channel: Bytes; later: () => Bytes }>();

  /** The connection takes nothing until it asks for the gaps. */
  #isBehind = false;

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
    this.#missed[kind].delete(name);
    for (const [key, end] of this.#lateEnds) {
      if (end.kind === kind && end.name === name) this.#lateEnds.delete(key);
    }
  }

  /** @param encode Makes the message; not asked when the client could not take it anyway. */
  give(
    { kind, name, occurrence }: Place & { readonly occurrence: Occurrence },
    encode: (protocol: Protocol) => Reply,
  ): void {
    if (!this.#isLate() && this.#offer(encode(this.protocol))) return;
    const { channel, later } = occurrence;
    if (later !== undefined && this.#lateEnds.size < LATE_ENDS) {
      this.#lateEnds.set(`${kind} ${name} ${channel}`, { kind, name, channel, later });
      return;
    }
    const missed = this.#missed[kind];
    missed.set(name, (missed.get(name) ?? 0) + 1);
  }

  /** The budget has room again, perhaps. */
  catchUp(): void {
    if (!this.#hasGaps || this.#offer("")) this.#sendLateEnds();
  }

  get #hasGaps(): boolean {
    return this.#missed.channels.size > 0 || this.#missed.patterns.size > 0;
  }

  /** An empty push is refused and counted like any other. */
  #isLate(): boolean {
    if (this.#isBehind) this.#isBehind = !this.#session.push("");
    return this.#isBehind;
  }

  /** The client takes messages again. */
  #tellGaps(): Reply {
    this.#isBehind = false;
    const gaps = this.#gapText();
    this.#forgetGaps();
    // Results are large: one at a time, and on only while the client takes them.
    if (this.#lateEnds.size > 0) queueMicrotask(() => this.#sendLateEnds());
    return gaps;
  }

  #forgetGaps(): void {
    this.#missed.channels.clear();
    this.#missed.patterns.clear();
  }

  #gapText(): Reply {
    let text = "";
    for (const kind of ["channels", "patterns"] as const) {
      for (const [name, count] of this.#missed[kind]) {
        const payload = `{"missed":${count}}`;
        text += encodeMessage({ kind, name, channel: name, payload }, this.protocol);
      }
    }
    return text;
  }

  #sendLateEnds(): void {
    for (const [key, { kind, name, channel, later }] of this.#lateEnds) {
      const message = encodeMessage({ kind, name, channel, payload: later() }, this.protocol);
      // Refused again, it waits for the next occasion.
      if (!this.#offer(message)) return;
      this.#lateEnds.delete(key);
    }
  }

  /** What was missed is told before anything that came after it. */
  #offer(message: Reply): boolean {
    const text = this.#hasGaps ? this.#gapText() + message : message;
    if (!this.#budget.grants(this, text.length)) return false;
    this.#isBehind = !this.#session.push(text);
    if (!this.#isBehind) this.#forgetGaps();
    return !this.#isBehind;
  }
}

const LATE_ENDS = 1024;
