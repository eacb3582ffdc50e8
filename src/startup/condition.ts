import { AgentError } from "../base/errors.ts";

/** Whether something holds on a node that knows these words. */
export type Condition = (has: (word: string) => boolean) => boolean;

const MAX_UNITS = 1000;
const MAX_DEPTH = 32;

/**
 * Reads a condition: `WORD`, `true`, `false`, `not(C)`, `and(C, ...)` or `or(C, ...)`. A word holds when the
 * kernel command line or the globals of the configuration have it, with or without a value.
 *
 * @param text Empty: always holds.
 * @throws AgentError `E_CONDITION`.
 */
export function parseCondition(text: string): Condition {
  if (text.trim() === "") return () => true;
  if (text.length > MAX_UNITS) {
    throw wrong(text, `${text.length} characters seen, expected at most ${MAX_UNITS}`);
  }
  const reader = new ConditionReader(text);
  const condition = reader.expression(0);
  reader.end();
  return condition;
}

class ConditionReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  expression(depth: number): Condition {
    if (depth > MAX_DEPTH)
      throw wrong(this.#text, `more than ${MAX_DEPTH} conditions in each other`);
    const word = /^[\w.-]+/.exec(this.#rest())?.[0];
    if (word === undefined) throw this.#unexpected("a word");
    this.#at += word.length;
    if (word === "true" || word === "false") return () => word === "true";
    if (word !== "and" && word !== "or" && word !== "not") return (has) => has(word);
    const inner = this.#list(depth + 1);
    if (word === "and") return (has) => inner.every((condition) => condition(has));
    if (word === "or") return (has) => inner.some((condition) => condition(has));
    const [only] = inner;
    if (only === undefined || inner.length > 1) {
      throw wrong(this.#text, `not() of ${inner.length} conditions seen, expected one`);
    }
    return (has) => !only(has);
  }

  end(): void {
    if (this.#rest() !== "") throw this.#unexpected("the end");
  }

  #list(depth: number): Condition[] {
    this.#take("(");
    const conditions = [this.expression(depth)];
    while (this.#rest().startsWith(",")) {
      this.#take(",");
      conditions.push(this.expression(depth));
    }
    this.#take(")");
    return conditions;
  }

  #take(mark: string): void {
    if (!this.#rest().startsWith(mark)) throw this.#unexpected(mark);
    this.#at += mark.length;
  }

  /** What follows, without spaces in front. */
  #rest(): string {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
    return this.#text.slice(this.#at);
  }

  #unexpected(wanted: string): AgentError {
    const rest = this.#rest();
    const seen = rest === "" ? "the end" : JSON.stringify(rest.slice(0, 20));
    return wrong(this.#text, `${seen} seen, expected ${wanted}`);
  }
}

function wrong(text: string, what: string): AgentError {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
  return new AgentError("E_CONDITION", `Cannot use condition ${shown}: ${what}`);
}
