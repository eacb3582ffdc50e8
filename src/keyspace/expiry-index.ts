import type { Bytes } from "../resp/bytes.ts";

/**
 * Keys by the second in which they expire. Each key stands in one place only, so changing an expiry
 * over and over leaves nothing behind.
 */
export class ExpiryIndex {
  readonly #seconds = new Map<number, Set<Bytes>>();
  #sweptSecond = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Enters a key. @param expiresAtMs Not below the time of the last sweep, or it is found late. */
  add(key: Bytes, expiresAtMs: number): void {
    const second = secondOf(expiresAtMs);
    const keys = this.#seconds.get(second);
    if (keys === undefined) this.#seconds.set(second, new Set([key]));
    else keys.add(key);
    this.#size += 1;
  }

  /** Takes a key out. @param expiresAtMs The value it was entered with. */
  remove(key: Bytes, expiresAtMs: number): void {
    const second = secondOf(expiresAtMs);
    const keys = this.#seconds.get(second);
    if (keys === undefined || !keys.delete(key)) return;
    this.#size -= 1;
    if (keys.size === 0) this.#seconds.delete(second);
  }

  /** Moves a key; nothing to do while it stays within its second. */
  move(key: Bytes, fromMs: number, toMs: number): void {
    if (secondOf(fromMs) === secondOf(toMs)) return;
    this.remove(key, fromMs);
    this.add(key, toMs);
  }

  /** Keys whose whole second has passed, at most `limit`; the caller removes every one of them. */
  due(nowMs: number, limit: number): Bytes[] {
    const nowSecond = Math.floor(nowMs / SECOND_MS);
    const found: Bytes[] = [];
    for (const second of this.#passedSeconds(nowSecond)) {
      for (const key of this.#seconds.get(second) ?? []) {
        if (found.length === limit) return found;
        found.push(key);
      }
    }
    this.#sweptSecond = nowSecond;
    return found;
  }

  clear(): void {
    this.#seconds.clear();
    this.#size = 0;
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

/** The first full second at which the key is surely gone. */
function secondOf(expiresAtMs: number): number {
  return Math.ceil(expiresAtMs / SECOND_MS);
}
