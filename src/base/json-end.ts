/**
 * Finds the end of a JSON object or array in bytes that come in pieces. What it holds is not checked:
 * only strings and brackets are looked at.
 */
export class JsonEnd {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  /**
   * @param chunk The next bytes.
   * @returns How many bytes of them belong to the value when it ends here, -1 when it goes on;
   *   undefined when what begins is neither an object nor an array.
   */
  feed(chunk: Uint8Array): number | undefined {
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#isInText) this.#text(byte);
      else if (byte === QUOTE && this.#depth > 0) this.#isInText = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#depth -= 1;
        if (this.#depth <= 0) return at + 1;
      } else if (this.#depth === 0 && !BLANKS.has(byte)) return undefined;
    }
    return -1;
  }

  #text(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInText = false;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
