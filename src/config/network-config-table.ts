import type { TomlLines, TomlPath } from "./toml-lines.ts";

export type TomlTable = Readonly<Record<string, unknown>>;

/** A value, or what would be allowed in its place. */
export type Checked<T> = { readonly isGood: true; readonly value: T } | Refused;

export interface Refused {
  readonly isGood: false;
  readonly wanted: string;
  /** What is wrong with a value that has the right form. */
  readonly why?: string;
  /** Takes the place of a value that may hold a secret. */
  readonly seen?: string;
}

export const good = <T>(value: T): Checked<T> => ({ isGood: true, value });

export function bad(wanted: string, why?: string): Refused {
  return why === undefined ? { isGood: false, wanted } : { isGood: false, wanted, why };
}

/** Nobody reads more, and all of them are shown on a console. */
const MAX_MISTAKES = 50;

/** The mistakes of one file. */
export class Mistakes {
  readonly file: string;
  readonly #sentences: string[] = [];
  readonly #lineOf: TomlLines["lineOf"];
  #count = 0;

  constructor(file: string, lineOf: TomlLines["lineOf"]) {
    this.file = file;
    this.#lineOf = lineOf;
  }

  /** All of them, shown or not. */
  get count(): number {
    return this.#count;
  }

  /** One sentence each; of very many the first ones. */
  sentences(): string[] {
    const more = this.#count - this.#sentences.length;
    const last = `Cannot use ${this.file}: ${more} more mistakes seen, expected none`;
    return more === 0 ? this.#sentences : [...this.#sentences, last];
  }

  /** @param seen In words; see {@link shown} for values. */
  add(path: TomlPath, seen: string, wanted: string): void {
    const line = this.#lineOf(path);
    const place = line === undefined ? this.file : `${this.file}:${line}`;
    this.#count += 1;
    if (this.#count > MAX_MISTAKES) return;
    this.#sentences.push(
      `Cannot use ${nameOf(path)} in ${place}: ${seen} seen, expected ${wanted}`,
    );
  }
}

/** One table of the file and where it stands. Each reader reports what it cannot use. */
export class TableReader {
  readonly path: TomlPath;
  readonly mistakes: Mistakes;
  readonly #table: TomlTable;

  constructor(mistakes: Mistakes, path: TomlPath, table: TomlTable) {
    this.mistakes = mistakes;
    this.path = path;
    this.#table = table;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  hasEmptyText(key: string): boolean {
    return this.has(key) && this.#table[key] === "";
  }

  hasEmptyList(key: string): boolean {
    const value = this.has(key) ? this.#table[key] : undefined;
    return Array.isArray(value) && value.length === 0;
  }

  at(key: string): TomlPath {
    return [...this.path, key];
  }

  /** Reports every other key. @param hint Words for one that is probably meant differently. */
  allow(keys: readonly string[], hint: (key: string, value: unknown) => string = () => ""): void {
    for (const [key, value] of Object.entries(this.#table)) {
      if (keys.includes(key)) continue;
      this.mistakes.add(
        this.at(key),
        "an unknown key",
        `one of ${keys.join(", ")}${hint(key, value)}`,
      );
    }
  }

  missing(key: string, wanted: string): void {
    this.mistakes.add(this.at(key), "nothing", wanted);
  }

  boolean(key: string, byDefault: boolean): boolean {
    const value = this.#read(key, (seen) =>
      typeof seen === "boolean" ? good(seen) : bad("true or false"),
    );
    return value ?? byDefault;
  }

  integer(key: string, limits: { minimum: number; maximum: number }): number | undefined {
    const { minimum, maximum } = limits;
    return this.#read(key, (seen) =>
      typeof seen === "number" && Number.isInteger(seen) && seen >= minimum && seen <= maximum
        ? good(seen)
        : bad(`an integer from ${minimum} to ${maximum}`),
    );
  }

  text<T>(key: string, check: (text: string) => Checked<T>): T | undefined {
    return this.#read(key, (seen) =>
      typeof seen === "string" ? check(seen) : bad(wantedBy(check)),
    );
  }

  /** A string, or an array of strings: the good ones of them, with their paths. */
  texts<T>(key: string, check: (text: string) => Checked<T>): { path: TomlPath; value: T }[] {
    if (!this.has(key)) return [];
    const seen = this.#table[key];
    const items: [TomlPath, unknown][] = Array.isArray(seen)
      ? seen.map((item, at) => [[...this.at(key), at], item])
      : [[this.at(key), seen]];
    return items.flatMap(([path, item]) => {
      const result = typeof item === "string" ? check(item) : bad(wantedBy(check));
      if (result.isGood) return [{ path, value: result.value }];
      this.#complain(path, item, result);
      return [];
    });
  }

  table(key: string): TableReader | undefined {
    const value = this.#read(key, (seen) => (isTable(seen) ? good(seen) : bad("a table")));
    return value === undefined ? undefined : new TableReader(this.mistakes, this.at(key), value);
  }

  /** The tables of an array of tables. @param form How one is written. */
  tables(key: string, form: string): TableReader[] {
    const wanted = `an array of tables, written ${form}`;
    const list = this.#read(key, (seen) => (Array.isArray(seen) ? good(seen) : bad(wanted))) ?? [];
    return list.flatMap((item, at) => {
      const path = [...this.at(key), at];
      if (isTable(item)) return [new TableReader(this.mistakes, path, item)];
      this.mistakes.add(path, shown(item), wanted);
      return [];
    });
  }

  /** The tables below this one, by name. */
  children(): [string, TableReader][] {
    return Object.keys(this.#table).flatMap((name) => {
      const child = this.table(name);
      return child === undefined ? [] : [[name, child]];
    });
  }

  /** Reports a value of this table that was read before. */
  refuse(path: TomlPath, seen: unknown, wanted: string, why?: string): void {
    this.#complain(path, seen, bad(wanted, why));
  }

  #read<T>(key: string, check: (seen: unknown) => Checked<T>): T | undefined {
    if (!this.has(key)) return undefined;
    const seen = this.#table[key];
    const result = check(seen);
    if (result.isGood) return result.value;
    this.#complain(this.at(key), seen, result);
    return undefined;
  }

  #complain(path: TomlPath, seen: unknown, result: Checked<unknown>): void {
    if (result.isGood) return;
    const { wanted, why } = result;
    const text = result.seen ?? shown(seen);
    this.mistakes.add(path, why === undefined ? text : `${text}, ${why},`, wanted);
  }
}

/** A value in a message: its beginning, however large or deep it is. */
export function shown(value: unknown, depth = 0): string {
  const text = asText(value, depth);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function asText(value: unknown, depth: number): string {
  if (depth > 3) return "...";
  if (Array.isArray(value)) {
    const more = value.length > 8 ? ", ..." : "";
    return `[${value
      .slice(0, 8)
      .map((item) => shown(item, depth + 1))
      .join(", ")}${more}]`;
  }
  if (value instanceof Date) return value.toISOString();
  if (isTable(value)) {
    const members = Object.entries(value).slice(0, 8);
    return `{ ${members.map(([key, item]) => `${key} = ${shown(item, depth + 1)}`).join(", ")} }`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** `static.eth0.ip[1]`; names that TOML wants in quotes have them. */
function nameOf(path: TomlPath): string {
  return path
    .map((name, at) => {
      if (typeof name === "number") return `[${name}]`;
      const text = /^[\w-]+$/.test(name) ? name : shown(name);
      return at === 0 ? text : `.${text}`;
    })
    .join("");
}

function isTable(value: unknown): value is TomlTable {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

/** Every check says of the empty string what it wants. */
function wantedBy(check: (text: string) => Checked<unknown>): string {
  const result = check("");
  return result.isGood ? "a string" : result.wanted;
}
