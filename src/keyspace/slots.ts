import type { Bytes } from "../resp/bytes.ts";

interface Item {
  readonly key: Bytes;
  /** Position in the order of the map; see {@link Slots.insert}. */
  readonly serial: number;
}

interface Vacant {
  readonly item: null;
  readonly serial: number;
}

interface Occupied<T> {
  readonly item: T;
  readonly serial: number;
}

/**
 * A map by key that stays fast when keys come and go. V8 leaves a removed key in its hash chain until
 * the map grows, so adding and removing one key in a large map makes every look at it slower: a queue
 * used by a producer and a consumer would crawl. A removed key therefore keeps its slot for a while.
 */
export class Slots<T extends Item> {
  readonly #slots = new Map<Bytes, Occupied<T> | Vacant>();
  #size = 0;
  #lastSerial = 0;
  /** Keys that were vacated since the last clean-up; some are in use again. */
  #vacated: Bytes[] = [];

  get size(): number {
    return this.#size;
  }

  /** Slots held, vacant ones included. */
  get slotCount(): number {
    return this.#slots.size;
  }

  get(key: Bytes): T | undefined {
    return this.#slots.get(key)?.item ?? undefined;
  }

  /** Enters an item under a key that has none. @param build Gets the serial the item must carry. */
  insert(key: Bytes, build: (serial: number) => T): T {
    // A slot that is used again keeps its place in the order, so its serial comes along.
    const vacant = this.#slots.get(key);
    const serial = vacant?.serial ?? this.#nextSerial();
    const item = build(serial);
    this.#slots.set(key, { item, serial });
    this.#size += 1;
    return item;
  }

  remove(item: T): void {
    this.#size -= 1;
    if (item.key.length > MAX_KEPT_KEY_BYTES) {
      this.#slots.delete(item.key);
      return;
    }
    this.#slots.set(item.key, { item: null, serial: item.serial });
    this.#vacated.push(item.key);
    if (this.#vacated.length >= MAX_VACATED) this.#cleanUp();
  }

  /** Items by rising serial; stays valid while items come and go. */
  *values(): IterableIterator<T> {
    for (const { item } of this.#slots.values()) if (item !== null) yield item;
  }

  #nextSerial(): number {
    this.#lastSerial += 1;
    return this.#lastSerial;
  }

  #cleanUp(): void {
    for (const key of this.#vacated) {
      if (this.#slots.get(key)?.item === null) this.#slots.delete(key);
    }
    this.#vacated = [];
  }
}

const MAX_VACATED = 1024;
/** Bounds what vacant slots hold on to. */
const MAX_KEPT_KEY_BYTES = 256;
