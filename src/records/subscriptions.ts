import { AgentError } from "../base/errors.ts";
import type { JobMessage } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Bytes, bytesOfText } from "../resp/bytes.ts";
import { LevelSet } from "./level-set.ts";
import { recordText } from "./record-text.ts";

/** The last message of a run passes whatever its level (wire protocol 9). */
const LAST_FLAGS = 0x2 | 0x4;
const MAX_SUBSCRIPTIONS = 64;
const MAX_NAME = 256;
/** What all lists together may hold: at most this, and at most a quarter of the keyspace. */
const MAX_LIST_BYTES = 64 * 1_048_576;
const KEYSPACE_SHARE = 4;

interface Subscription {
  readonly key: Bytes;
  readonly levels: LevelSet;
  /** False until the records of the near past are in its list. */
  isReady: boolean;
}

/** The lists `logger:<queue>` and what they are fed (wire protocol 9). */
export class Subscriptions {
  readonly #keyspace: Keyspace;
  readonly #maxRecords: number;
  /** By key, as text. */
  readonly #table = new Map<string, Subscription>();

  /** @param maxRecords Length of a list; the oldest records leave first. */
  constructor(keyspace: Keyspace, maxRecords: number) {
    this.#keyspace = keyspace;
    this.#maxRecords = maxRecords;
  }

  get size(): number {
    return this.#table.size;
  }

  /**
   * @param backlog Asked for a moment later, when the caller has its reply: until then the backlog
   *   holds what is new, so that the list has every record once.
   */
  add(queue: string, levels: readonly number[], backlog: () => readonly JobMessage[]): string {
    const key = `${KEY_PREFIX}${queue === "" ? randomName() : queue}`;
    if (this.#table.has(key)) return key;
    if (queue.length > MAX_NAME) {
      const seen = `${queue.length} characters seen, expected at most ${MAX_NAME}`;
      throw new AgentError("E_LOG_QUEUES", `Cannot feed a list of this name: ${seen}`);
    }
    if (this.#table.size >= MAX_SUBSCRIPTIONS) {
      const seen = `${this.#table.size} lists are fed, expected less than ${MAX_SUBSCRIPTIONS}`;
      throw new AgentError("E_LOG_QUEUES", `Cannot feed ${key}: ${seen}`);
    }
    const subscription = { key: bytesOfText(key), levels: new LevelSet(levels), isReady: false };
    this.#table.set(key, subscription);
    setImmediate(() => {
      if (this.#table.get(key) !== subscription) return;
      subscription.isReady = true;
      for (const message of backlog()) {
        if (passes(subscription, message)) this.#append(subscription, message);
      }
    });
    return key;
  }

  remove(key: string): void {
    this.#table.delete(key);
  }

  publish(message: JobMessage): void {
    let text: Bytes | undefined;
    for (const subscription of this.#table.values()) {
      if (!subscription.isReady || !passes(subscription, message)) continue;
      text ??= bytesOfText(recordText(message));
      this.#append(subscription, message, text);
    }
  }

  #append(
    { key }: Subscription,
    message: JobMessage,
    text: Bytes = bytesOfText(recordText(message)),
  ): void {
    const { lists, store } = this.#keyspace;
    // A client may have put something else there: it is the client's to keep.
    if (store.get(key) !== undefined && lists.find(key) === undefined) return;
    const length = lists.push(key, "right", [text]);
    if (length > this.#maxRecords) lists.trim(key, -this.#maxRecords, -1);
    const limit = this.#bytesPerList();
    for (let list = lists.find(key); list !== undefined && list.sizeBytes > limit; ) {
      lists.pop(key, "left");
      list = lists.find(key);
    }
  }

  #bytesPerList(): number {
    const all = Math.min(MAX_LIST_BYTES, this.#keyspace.store.maxBytes / KEYSPACE_SHARE);
    return all / Math.max(1, this.#table.size);
  }
}

const KEY_PREFIX = "logger:";

/** Loaded here: few need a name made for them. */
function randomName(): string {
  return process.getBuiltinModule("node:crypto").randomUUID();
}

function passes({ levels }: Subscription, { level, flags }: JobMessage): boolean {
  return levels.has(level) || (flags & LAST_FLAGS) !== 0;
}
