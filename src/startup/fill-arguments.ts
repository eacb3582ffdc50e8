import { AgentError } from "../base/errors.ts";
import { substitute } from "../job/extension.ts";
import { parseCondition } from "./condition.ts";

/** Words of the kernel command line and globals of the configuration: what `{name}` stands for. */
export type Values = ReadonlyMap<string, string>;

/** A value with another character could end the word of a script it is put into. */
const PLAIN_VALUE = /^[\w./:@%+,=-]*$/;

/**
 * The arguments of a start-up service: `{name}` in any text becomes the value of that name, and a key
 * `CONDITION|KEY` becomes `KEY` where the condition holds and is left out where not. What was put in is not
 * looked at again, and a value stays within the text it was put into.
 *
 * @param isScript The texts go to a shell: only values that mean nothing to one are put in.
 * @throws AgentError `E_CONDITION` | `E_ARGUMENTS`.
 */
export function fillArguments(
  args: Readonly<Record<string, unknown>>,
  values: Values,
  isScript: boolean,
): Record<string, unknown> {
  const put = (text: string): string =>
    substitute(text, (name) => {
      const value = values.get(name);
      if (value === undefined || !isScript || PLAIN_VALUE.test(value)) return value;
      throw new AgentError(
        "E_ARGUMENTS",
        `Cannot put the value of ${name} into a script: another character seen, expected letters, digits and _./:@%+,=-`,
      );
    });
  const fill = (value: unknown): unknown => {
    if (typeof value === "string") return put(value);
    if (Array.isArray(value)) return value.map(fill);
    // Arguments are JSON, which knows neither of these.
    if (typeof value === "bigint") return Number(value);
    if (value instanceof Date) return value.toISOString();
    if (typeof value === "object" && value !== null) return fillTable(value);
    return value;
  };
  const fillTable = (table: object): Record<string, unknown> => {
    const filled: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(table)) {
      const bar = name.indexOf("|");
      if (bar >= 0) {
        const holds = parseCondition(name.slice(0, bar));
        if (!holds((word) => values.has(word))) continue;
      }
      const key = bar < 0 ? name : name.slice(bar + 1).trim();
      // Names come from a file: `__proto__` must become a member like any other.
      Object.defineProperty(filled, key, {
        value: fill(value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return filled;
  };
  return fillTable(args);
}
