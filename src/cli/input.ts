import type { OptionSpec } from "./grammar.ts";

/** What a command line said, after its words were checked against the table. */
export class Input {
  readonly operands: string[] = [];
  readonly #values = new Map<string, string[]>();

  has(name: string): boolean {
    return this.#values.has(name);
  }

  set(spec: OptionSpec, value: string): void {
    const values = this.#values.get(spec.name);
    if (values === undefined || spec.value === undefined) this.#values.set(spec.name, [value]);
    else values.push(value);
  }

  /** Value of an option; undefined when it was not given. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of a repeatable option. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : Number(text);
  }

  /** State of a switch; `fallback` when it was not given. */
  flag(name: string, fallback = false): boolean {
    const text = this.text(name);
    return text === undefined ? fallback : text === "yes";
  }
}
