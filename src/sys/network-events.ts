import { type Backoff, backoffDelayMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { NetworkEvent, NetworkEvents } from "./network-state.ts";

/**
 * The notices of the kernel for this process's namespace. Listening begins with the first subscriber,
 * ends with the last one, and is begun again when it fails.
 *
 * Whenever listening begins there is an event with an empty `interface`: what happened before was
 * not heard, so a reader looks at everything.
 *
 * @param parts.open Default: a netlink socket, loaded at the first subscription.
 */
export function openNetworkEvents(parts: {
  clock: Clock;
  log: Logger;
  open?: OpenNotices;
}): NetworkEvents {
  return new SharedEvents({ open: openNetlinkNotices, ...parts });
}

export interface NoticeHandlers {
  events(events: readonly NetworkEvent[]): void;
  /** Called once, unless it was closed. */
  ended(reason: string): void;
}

export interface NoticeSource {
  close(): void;
}

/** Resolves when every later change will be heard. */
export type OpenNotices = (handlers: NoticeHandlers) => Promise<NoticeSource>;

async function openNetlinkNotices(handlers: NoticeHandlers): Promise<NoticeSource> {
  const { openNotices } = await import("./netlink/notices.ts");
  return openNotices(handlers);
}

/** What belongs together, a link that comes up and its addresses, comes within this time. */
const GATHER_MS = 2;
/** Between two calls of a listener: a link that flaps wakes nobody more than 20 times a second. */
const INTERVAL_MS = 50;
/** More than this at once says no more than "look at everything". */
const MAX_PENDING = 64;
const EVERYTHING: NetworkEvent = { kind: "link", interface: "" };
const RETRY: Backoff = { initialMs: 100, factor: 2, capMs: 10_000, jitter: 0.2 };
/** A source that lasted so long did not fail because of the one before. */
const STABLE_MS = 30_000;

type Listener = (events: readonly NetworkEvent[]) => void;

class SharedEvents implements NetworkEvents {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #open: OpenNotices;
  readonly #listeners = new Set<{ readonly call: Listener }>();
  readonly #pending = new Map<string, NetworkEvent>();
  #flushing: (() => void) | undefined;
  #flushedMs = Number.NEGATIVE_INFINITY;
  #listening: Listening | undefined;
  #retrying: (() => void) | undefined;
  #failures = 0;

  constructor(parts: { clock: Clock; log: Logger; open: OpenNotices }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#open = parts.open;
  }

  subscribe(listener: Listener): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#listen();
    // A later subscriber missed what the first one was told when listening began.
    else if (this.#listening !== undefined) this.#note([EVERYTHING]);
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0) this.#stop();
    };
  }

  #listen(): void {
    this.#retrying = undefined;
    const listening = new Listening();
    this.#listening = listening;
    const sinceMs = this.#clock.monotonicMs();
    const isCurrent = (): boolean => this.#listening === listening;
    const failed = (reason: string): void => {
      if (isCurrent()) this.#retry(reason, this.#clock.monotonicMs() - sinceMs);
    };
    this.#open({
      events: (events) => {
        if (isCurrent()) this.#note(events);
      },
      ended: failed,
    }).then(
      (source) => {
        listening.opened(source);
        if (isCurrent()) this.#note([EVERYTHING]);
      },
      (error: unknown) => failed(errorText(error)),
    );
  }

  #retry(reason: string, lastedMs: number): void {
    this.#listening = undefined;
    this.#failures = lastedMs >= STABLE_MS ? 1 : this.#failures + 1;
    const delayMs = backoffDelayMs(RETRY, this.#failures, Math.random());
    this.#log.warn("network notices ended", { reason, attempt: this.#failures, delayMs });
    this.#note([EVERYTHING]);
    this.#retrying = this.#clock.after(delayMs, () => this.#listen());
  }

  #stop(): void {
    this.#listening?.close();
    this.#listening = undefined;
    this.#retrying?.();
    this.#retrying = undefined;
    this.#flushing?.();
    this.#flushing = undefined;
    this.#pending.clear();
  }

  #note(events: readonly NetworkEvent[]): void {
    for (const event of events) this.#pending.set(`${event.kind} ${event.interface}`, event);
    if (this.#pending.size > MAX_PENDING) {
      this.#pending.clear();
      this.#pending.set("", EVERYTHING);
    }
    if (this.#pending.size > 0) {
      const quietMs = this.#flushedMs + INTERVAL_MS - this.#clock.monotonicMs();
      const delayMs = Math.max(GATHER_MS, quietMs);
      this.#flushing ??= this.#clock.after(delayMs, () => this.#flush());
    }
  }

  #flush(): void {
    this.#flushing = undefined;
    this.#flushedMs = this.#clock.monotonicMs();
    const events = [...this.#pending.values()];
    this.#pending.clear();
    for (const entry of [...this.#listeners]) {
      // One that was called before may have ended this one.
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.call(events);
      } catch (error) {
        // The others must hear of it all the same.
        this.#log.error("network listener failed", { reason: errorText(error) });
      }
    }
  }
}

/** A source that may be closed before it is open. */
class Listening {
  #source: NoticeSource | undefined;
  #isClosed = false;

  opened(source: NoticeSource): void {
    if (this.#isClosed) source.close();
    else this.#source = source;
  }

  close(): void {
    this.#isClosed = true;
    this.#source?.close();
  }
}
