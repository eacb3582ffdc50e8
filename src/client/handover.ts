/**
 * Hands values from one side that calls `put` to one `for await` loop. Nothing is stored: `put` resolves
 * when the loop has taken the value, so the reader sets the pace.
 */
export class Handover<T> implements AsyncIterableIterator<T> {
  readonly #onLeave: () => void;
  readonly #offered: { readonly value: T; readonly taken: () => void }[] = [];
  #waiting: PromiseWithResolvers<IteratorResult<T>> | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** @param onLeave Called when the loop is left before the end. */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  put(value: T): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve();
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ value, done: false });
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#offered.push({ value, taken: resolve });
    return promise;
  }

  /** No more values; the loop ends after those that were put, with `error` where there is one. */
  end(outcome: { readonly error?: unknown } = {}): void {
    this.#end ??= outcome;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.next().then(waiting.resolve, waiting.reject);
  }

  async next(): Promise<IteratorResult<T>> {
    const offer = this.#offered.shift();
    if (offer !== undefined) {
      offer.taken();
      return { value: offer.value, done: false };
    }
    if (this.#end === undefined) {
      this.#waiting = Promise.withResolvers<IteratorResult<T>>();
      return await this.#waiting.promise;
    }
    const end = this.#end;
    this.#end = {};
    if ("error" in end) throw end.error;
    return { value: undefined, done: true };
  }

  /** Nobody will take values any more: those who put go on at once. */
  discard(): void {
    this.#end = {};
    for (const { taken } of this.#offered.splice(0)) taken();
  }

  async return(): Promise<IteratorResult<T>> {
    const isEarly = this.#end === undefined;
    this.discard();
    if (isEarly) this.#onLeave();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
