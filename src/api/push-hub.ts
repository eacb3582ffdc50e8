import type { Clock } from "../base/clock.ts";
import type { EventBus } from "../events/bus.ts";
import type { MessageHub } from "../job/message-hub.ts";
import type { JobControl, JobMessage, JobResult } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { recordText } from "../records/record-text.ts";
import { type Bytes, bytesOfText, textOfBytes } from "../resp/bytes.ts";
import type { SequenceEvents } from "../sequencer/sequence.ts";
import { systemClock } from "../sys/clock.ts";
import { bootEventText } from "./boot-event.ts";
import { jsonText } from "./json-text.ts";
import { PushBudget } from "./push-budget.ts";
import { JOB_PREFIX, jobChannel, PushChannels } from "./push-channels.ts";
import { PushSubscriber } from "./push-subscriber.ts";
import type { Session } from "./session.ts";

/** What there is to listen to. */
export interface PushSources {
  readonly clock: Clock;
  readonly messages: MessageHub;
  readonly jobs: Pick<JobControl, "follow">;
  readonly boot: EventBus<SequenceEvents>;
}

/** Channels of the node: `job:<id>`, `log` and `boot`. While nobody listens it does nothing. */
export class PushHub {
  readonly channels: PushChannels;
  readonly #sources: PushSources | null;
  readonly #keyspace: Keyspace;
  readonly #budget: PushBudget;
  readonly #subscribers = new Map<Session, PushSubscriber>();
  #stops: readonly (() => void)[] = [];

  /**
   * @param sources Null: nothing ever happens.
   * @param limitBytes What all subscribers together may leave unread.
   */
  constructor(sources: PushSources | null, keyspace: Keyspace, limitBytes?: number) {
    this.#sources = sources;
    const clock = sources?.clock ?? systemClock;
    this.#budget = new PushBudget(clock, () => this.#subscribers.values(), limitBytes);
    this.#keyspace = keyspace;
    this.channels = new PushChannels((isUsed) => this.#steer(isUsed));
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  subscriberOf(session: Session): PushSubscriber {
    let subscriber = this.#subscribers.get(session);
    if (subscriber === undefined) {
      const parts = { channels: this.channels, budget: this.#budget };
      const onGone = (): void => void this.#subscribers.delete(session);
      subscriber = new PushSubscriber(session, parts, onGone);
      this.#subscribers.set(session, subscriber);
    }
    return subscriber;
  }

  /**
   * What a new subscriber of a channel gets at once: the last messages of a running job, the result of
   * a finished one, the whole boot so far.
   *
   * @returns Undefined: there is no such channel, or no such job.
   */
  replay(channel: Bytes): readonly Bytes[] | undefined {
    if (channel === LOG_CHANNEL) return [];
    if (channel === BOOT_CHANNEL) return (this.#sources?.boot.history() ?? []).map(bootEventText);
    if (!channel.startsWith(JOB_PREFIX)) return undefined;
    const id = channel.slice(JOB_PREFIX.length);
    const running = this.#backlog(textOfBytes(id));
    if (running !== undefined) return running;
    const result = this.#publishedResult(id);
    return result === undefined ? undefined : [result];
  }

  /** Undefined: no such job is queued or running. */
  #backlog(id: string): Bytes[] | undefined {
    const messages: Bytes[] = [];
    try {
      const follower = {
        jobId: NO_JOB,
        message: (message: JobMessage | null): void => {
          if (message !== null) messages.push(bytesOfText(recordText(message)));
        },
      };
      const stop = this.#sources?.jobs.follow(id, follower);
      stop?.();
      return stop === undefined ? undefined : messages;
    } catch {
      // The one reason there is: the job is not known.
      return undefined;
    }
  }

  #publishedResult(id: Bytes): Bytes | undefined {
    const key = `result:${id}`;
    return this.#keyspace.store.get(key) === undefined
      ? undefined
      : this.#keyspace.lists.index(key, -1);
  }

  #steer(isUsed: boolean): void {
    for (const stop of this.#stops) stop();
    const sources = isUsed ? this.#sources : null;
    if (sources === null) {
      this.#stops = [];
      return;
    }
    const { channels } = this;
    this.#stops = [
      sources.messages.listen({
        message: (message) => this.#onMessage(message),
        finished: (result) => this.#onResult(result),
      }),
      sources.boot.subscribe((event) => {
        channels.publish({ channel: BOOT_CHANNEL, payload: () => bootEventText(event) });
      }),
    ];
  }

  #onMessage(message: JobMessage): void {
    let text: Bytes | undefined;
    const payload = (): Bytes => {
      text ??= bytesOfText(recordText(message));
      return text;
    };
    const channel = jobChannel(message.jobId);
    if (channel.length <= MAX_NAME_BYTES) this.channels.publish({ channel, payload });
    this.channels.publish({ channel: LOG_CHANNEL, payload });
  }

  #onResult(result: JobResult): void {
    const channel = jobChannel(result.id);
    if (channel.length > MAX_NAME_BYTES) return;
    const later = this.#laterResult(outcomeOf(result));
    this.channels.publish({ channel, payload: () => bytesOfText(jsonText(result)), later });
  }

  /** A function of its own, so that what waits for a slow client does not hold the whole result. */
  #laterResult(outcome: JobResult): () => Bytes {
    return () => {
      try {
        const result = this.#publishedResult(bytesOfText(outcome.id));
        if (result !== undefined) return result;
      } catch {
        // A client has put something else at its key.
      }
      return bytesOfText(jsonText(outcome));
    };
  }
}

/** A result without what the job has written. */
const outcomeOf = ({ streams: _, critical: __, ...result }: JobResult): JobResult => ({
  ...result,
  data: "",
  level: 0,
});

/** A job with a longer id has no channel. */
export const MAX_NAME_BYTES = 512;
export const LOG_CHANNEL = "log";
export const BOOT_CHANNEL = "boot";

/** An id no job can have. */
const NO_JOB = "";
