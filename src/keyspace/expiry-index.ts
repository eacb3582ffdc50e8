/** One entry's place in the index. */
export interface ExpiryNode<T> {
  readonly item: T;
  readonly second: number;
  previous: ExpiryNode<T> | null;
  next: ExpiryNode<T> | null;
}

/**
 * Items by the second in which they expire, each in one place only: a linked list per second. (Sets
 * would do, but the ones of V8 slow down when one key is added and removed over and over.)
 */
export class ExpiryIndex<T> {
  readonly #seconds = new Map<number, ExpiryNode<T>>();
  #sweptSecond = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns What {@link remove} takes. */
  add(item: T, expiresAtMs: number): ExpiryNode<T> {
    const second = secondOf(expiresAtMs);
    const first = this.#seconds.get(second) ?? null;
    const node: ExpiryNode<T> = { item, second, previous: null, next: first };
    if (first !== null) first.previous = node;
    this.#seconds.set(second, node);
    this.#size += 1;
    return node;
  }

  /** Takes out what is in the index. */
  remove({ second, previous, next }: ExpiryNode<T>): void {
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else if (next !== null) this.#seconds.set(second, next);
    else this.#seconds.delete(second);
    this.#size -= 1;
  }

  /** True when an item at `node` need not move to expire at `expiresAtMs`. */
  isPlaced(node: ExpiryNode<T>, expiresAtMs: number): boolean {
    return node.second === secondOf(expiresAtMs);
  }

  /** Items whose whole second has passed, at most `limit`; the caller removes every one of them. */
  due(nowMs: number, limit: number): T[] {
    const nowSecond = Math.floor(nowMs / SECOND_MS);
    const found: T[] = [];
    for (const second of this.#passedSeconds(nowSecond)) {
      for (let node = this.#seconds.get(second) ?? null; node !== null; node = node.next) {
        if (found.length === limit) return found;
        found.push(node.item);
      }
    }
    this.#sweptSecond = nowSecond;
    return found;
  }

  #passedSeconds(nowSecond: number): number[] {
    // After a long pause the seconds in use are fewer than the seconds that went by.
    if (nowSecond - this.#sweptSecond > this.#seconds.size) {
      return [...this.#seconds.keys()].filter((second) => second <= nowSecond);
    }
    const seconds: number[] = [];
    for (let second = this.#sweptSecond; second <= nowSecond; second += 1) seconds.push(second);
    return seconds;
  }
}

const SECOND_MS = 1000;

/** The first full second at which the item is surely gone. */
function secondOf(expiresAtMs: number): number {
  return Math.ceil(expiresAtMs / SECOND_MS);
}
