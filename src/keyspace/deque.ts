import type { Bytes } from "../resp/bytes.ts";

/**
 * A list of byte strings with constant-time access to both ends: a ring whose capacity is a power
 * of two, starting at one because most lists here hold a single element.
 */
export class Deque {
  #ring: (Bytes | undefined)[] = [undefined];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  pushRight(value: Bytes): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = value;
    this.#length += 1;
  }

  pushLeft(value: Bytes): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = value;
    this.#length += 1;
  }

  popLeft(): Bytes | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#shrunk();
    return value;
  }

  popRight(): Bytes | undefined {
    if (this.#length === 0) return undefined;
    const at = (this.#head + this.#length - 1) & (this.#ring.length - 1);
    const value = this.#ring[at];
    this.#ring[at] = undefined;
    this.#shrunk();
    return value;
  }

  /** The element at `index` from the left, 0 to `length - 1`. */
  at(index: number): Bytes | undefined {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)];
  }

  /** Replaces everything. */
  assign(values: readonly Bytes[]): void {
    this.#length = 0;
    this.#head = 0;
    this.#ring = new Array<Bytes | undefined>(capacityFor(values.length)).fill(undefined);
    for (const value of values) this.pushRight(value);
  }

  /** Elements `start` to `end - 1` from the left. */
  slice(start: number, end: number): Bytes[] {
    const values: Bytes[] = [];
    for (let index = start; index < end; index += 1) values.push(this.at(index) as Bytes);
    return values;
  }

  #shrunk(): void {
    this.#length -= 1;
    const capacity = this.#ring.length;
    if (capacity > MIN_SHRINK && this.#length * 4 <= capacity) this.#resize(capacity / 2);
  }

  #resize(capacity: number): void {
    const values = this.slice(0, this.#length);
    while (values.length < capacity) values.push(undefined as unknown as Bytes);
    this.#ring = values;
    this.#head = 0;
  }
}

const MIN_SHRINK = 16;

function capacityFor(length: number): number {
  let capacity = 1;
  while (capacity < length) capacity *= 2;
  return capacity;
}
