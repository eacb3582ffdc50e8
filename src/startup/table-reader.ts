import type { TomlLines } from "../config/toml-lines.ts";

/** Keys a table may have. */
export type Keys = Readonly<
  Record<string, { readonly allowed: string; readonly isAllowed: (value: unknown) => boolean }>
>;

export type Table = Readonly<Record<string, unknown>>;

const MAX_PROBLEMS = 50;

/** Reads tables of one file and notes what is wrong with them. */
export class TableReader {
  readonly #file: string;
  readonly #lineOf: TomlLines["lineOf"];
  readonly #problems: string[] = [];
  #dropped = 0;

  constructor(file: string, lineOf: TomlLines["lineOf"]) {
    this.#file = file;
    this.#lineOf = lineOf;
  }

  /** One sentence each. */
  get problems(): readonly string[] {
    if (this.#dropped === 0) return this.#problems;
    return [...this.#problems, `Cannot use ${this.#dropped} more values in ${this.#file}`];
  }

  /** FILE:LINE. */
  placeOf(path: readonly string[]): string {
    const line = this.#lineOf(path);
    return line === undefined ? this.#file : `${this.#file}:${line}`;
  }

  complain(path: readonly string[], seen: string, wanted: string): void {
    const name = path.map(printable).join(".");
    this.#note(`Cannot use ${name} in ${this.placeOf(path)}: ${seen} seen, expected ${wanted}`);
  }

  /** @param text Says what is wrong. */
  problem(path: readonly string[], text: string): void {
    const name = path.map(printable).join(".");
    this.#note(`Cannot use ${name} in ${this.placeOf(path)}: ${text}`);
  }

  /**
   * The values of a table. Unknown keys are left out.
   *
   * @returns Undefined when it is no table, or when a value is not allowed.
   */
  read(path: readonly string[], value: unknown, keys: Keys): Table | undefined {
    if (!isTable(value)) {
      this.complain(path, shown(value), "a table");
      return undefined;
    }
    const result: Record<string, unknown> = {};
    let isUsable = true;
    for (const [name, item] of Object.entries(value)) {
      const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
      if (key === undefined) {
        const names = Object.keys(keys).join(", ");
        this.complain([...path, name], "an unknown key", `one of ${names}`);
      } else if (key.isAllowed(item)) {
        result[name] = item;
      } else {
        this.complain([...path, name], shown(item), key.allowed);
        isUsable = false;
      }
    }
    return isUsable ? result : undefined;
  }

  #note(problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
    else this.#dropped += 1;
  }
}

export function isTable(value: unknown): value is Table {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function shown(value: unknown): string {
  // Large integers are read as such, and JSON knows none.
  const plain = (_: string, item: unknown): unknown =>
    typeof item === "bigint" ? Number(item) : item;
  const text = JSON.stringify(value, plain) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Names in a file may hold anything; what a console would act upon must not reach it. */
function printable(name: string): string {
  const text = /^[^\p{C}]*$/u.test(name) ? name : JSON.stringify(name).replaceAll(/\p{C}/gu, "?");
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
