interface Limits {
  readonly messages: number;
  readonly units: number;
}

/** The newest entries of a sequence, limited in number and in the length of their texts. */
export class MessageRing<T extends { readonly text: string }> {
  readonly #limits: Limits;
  #entries: T[] = [];
  #units = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  push(entry: T): void {
    this.#entries.push(entry);
    this.#units += entry.text.length;
    while (this.#entries.length > this.#limits.messages || this.#isTooLong()) {
      this.#units -= this.#entries.shift()?.text.length ?? 0;
    }
  }

  entries(): readonly T[] {
    return [...this.#entries];
  }

  /** All texts, oldest first. */
  text(): string {
    return this.#entries.map((entry) => entry.text).join("");
  }

  /** The newest entry stays whatever its length. */
  #isTooLong(): boolean {
    return this.#units > this.#limits.units && this.#entries.length > 1;
  }
}
