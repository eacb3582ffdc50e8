/** Names of tables and keys from the top; numbers are positions in arrays. */
export type TomlPath = readonly (string | number)[];

export interface TomlLines {
  /** Line from 1 of a path, or of the nearest part of it that is found. */
  readonly lineOf: (path: TomlPath) => number | undefined;
  /** What must not reach the parser, and its line. */
  readonly danger: { readonly seen: string; readonly line: number } | undefined;
}

/**
 * Finds the lines of tables, keys and array items in a TOML text: the parser keeps no positions. Also
 * finds names that the parser looks up among the members every object has: with `[constructor]` it
 * would write into the `Object` of the whole program.
 *
 * @param text May be wrong TOML: what is found holds up to the first mistake, where the parser stops.
 */
export function scanToml(text: string): TomlLines {
  const scanner = new LineScanner(text);
  const lines = scanner.scan();
  const lineOf = (path: TomlPath): number | undefined => {
    for (let length = Math.min(path.length, MAX_PATH); length > 0; length -= 1) {
      const line = lines.get(keyOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  };
  return { lineOf, danger: scanner.danger };
}

/** No value of the file lies deeper in arrays and inline tables. */
const MAX_DEPTH = 8;
/** No key of the file has more names above it; what has is found by what it lies in. */
const MAX_PATH = 12;
/** Items of an array after these are found by the array. */
const MAX_ITEMS = 1000;

const keyOf = (path: TomlPath): string => JSON.stringify(path);

/** One pass over the text, in the order of the parser. Every step takes at least one character. */
class LineScanner {
  danger: TomlLines["danger"];
  readonly #text: string;
  readonly #lines = new Map<string, number>();
  /** Number of tables in each array of tables, by path. */
  readonly #counts = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): ReadonlyMap<string, number> {
    let table: TomlPath = [];
    while (this.#skipBlank()) {
      if (this.#peek() === "[") {
        table = this.#header();
      } else {
        this.#assignment(table, 0);
      }
    }
    return this.#lines;
  }

  #header(): TomlPath {
    const line = this.#line;
    this.#next();
    const isArray = this.#peek() === "[";
    if (isArray) this.#next();
    const names = this.#names("]");
    while (this.#peek() === "]") this.#next();
    let path: TomlPath = [];
    for (const [at, name] of names.slice(0, MAX_PATH).entries()) {
      path = [...path, name];
      this.#note(path, line);
      const key = keyOf(path);
      const isNew = isArray && at === names.length - 1;
      const count = (this.#counts.get(key) ?? 0) + (isNew ? 1 : 0);
      if (count === 0) continue;
      this.#counts.set(key, count);
      // Later headers below an array of tables mean its last table.
      path = [...path, count - 1];
      this.#note(path, line);
    }
    return path;
  }

  #assignment(table: TomlPath, depth: number): void {
    const line = this.#line;
    let path = table;
    for (const name of this.#names("=").slice(0, MAX_PATH)) {
      path = [...path, name];
      this.#note(path, line);
    }
    this.#next();
    this.#skipBlank();
    this.#value(path, depth);
  }

  #value(path: TomlPath, depth: number): void {
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string();
    else if (first === "[" && depth < MAX_DEPTH) this.#array(path, depth + 1);
    else if (first === "{" && depth < MAX_DEPTH) this.#inlineTable(path, depth + 1);
    else if (first === "[" || first === "{") this.#endTooDeep();
    else
      do this.#next();
      while (this.#at < this.#text.length && !/[\s,\]}#]/.test(this.#peek()));
  }

  #array(path: TomlPath, depth: number): void {
    this.#next();
    for (let item = 0; this.#skipBlank() && this.#peek() !== "]"; ) {
      if (this.#peek() === ",") {
        this.#next();
        continue;
      }
      if (item < MAX_ITEMS) this.#note([...path, item], this.#line);
      this.#value([...path, item], depth);
      item += 1;
    }
    this.#next();
  }

  #inlineTable(path: TomlPath, depth: number): void {
    this.#next();
    while (this.#skipBlank() && this.#peek() !== "}") {
      if (this.#peek() === ",") this.#next();
      else this.#assignment(path, depth);
    }
    this.#next();
  }

  #endTooDeep(): void {
    this.danger ??= { seen: `a value inside ${MAX_DEPTH} others`, line: this.#line };
    this.#at = this.#text.length;
  }

  /** Names with dots between them, up to a mark that stays. */
  #names(end: "=" | "]"): string[] {
    const names: string[] = [];
    while (this.#skipBlank() && this.#peek() !== end) {
      const character = this.#peek();
      if (character === ".") this.#next();
      else if (character === '"' || character === "'") names.push(this.#string());
      else {
        const from = this.#at;
        do this.#next();
        while (this.#at < this.#text.length && !/[\s.=\]]/.test(this.#peek()));
        names.push(this.#text.slice(from, this.#at));
      }
      const last = names.at(-1) ?? "";
      // The parser knows this one.
      if (last in Object.prototype && last !== "__proto__") {
        this.danger ??= { seen: `the name ${JSON.stringify(last)}`, line: this.#line };
      }
    }
    return names;
  }

  /** Past a string of any kind; its text, for those that can be names. */
  #string(): string {
    const quote = this.#peek();
    const mark = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    const from = this.#at;
    this.#skip(mark.length);
    while (this.#at < this.#text.length && !this.#text.startsWith(mark, this.#at)) {
      this.#skip(quote === '"' && this.#peek() === "\\" ? 2 : 1);
    }
    this.#skip(mark.length);
    // A long string may end with one or two quotes of its own.
    while (mark.length === 3 && this.#peek() === quote) this.#next();
    const text = this.#text.slice(from + mark.length, this.#at - mark.length);
    return quote === '"' && mark.length === 1 ? unescaped(text) : text;
  }

  /** Past white space and comments. False at the end. */
  #skipBlank(): boolean {
    while (this.#at < this.#text.length) {
      const character = this.#peek();
      if (character === "#") {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (/\s/.test(character)) this.#next();
      else return true;
    }
    return false;
  }

  #note(path: TomlPath, line: number): void {
    const key = keyOf(path);
    if (!this.#lines.has(key)) this.#lines.set(key, line);
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #next(): void {
    if (this.#peek() === "\n") this.#line += 1;
    this.#at += 1;
  }

  #skip(count: number): void {
    for (let left = count; left > 0; left -= 1) this.#next();
  }
}

function unescaped(text: string): string {
  const short = text.replaceAll(/\\(\\|U([0-9a-fA-F]{8}))/g, (whole, _, digits?: string) =>
    // Every name that matters is plain.
    digits === undefined ? whole : `\\u${digits.slice(4)}`,
  );
  try {
    return JSON.parse(`"${short}"`);
  } catch {
    return text; // Not a name the parser takes.
  }
}
