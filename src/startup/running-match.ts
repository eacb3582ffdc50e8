import { createContext, Script } from "node:vm";
import { AgentError, errorCode, errorText } from "../base/errors.ts";

/** Longest line that is looked at; of a longer one its beginning. */
const LINE_UNITS = 4096;
/** Time for the lines of one read. An expression that takes longer on them would do so for ever. */
const LIMIT_MS = 100;
/** Flags in front of an expression, as existing files write them: `(?i)`. */
const FLAGS = /^\(\?([ims]+)\)/;
/** Escapes that mean something there and something else, or nothing, here. */
const UNKNOWN_ESCAPE = /\\([QECpPXaz])|\[\[:/;

/** Finds the line that says a service is up. */
export class RunningMatch {
  readonly #script = new Script("lines.split('\\n').some((line) => expression.test(line))");
  readonly #context: { lines: string; expression: RegExp };
  /** A line that has not ended yet, by level. */
  readonly #open = new Map<number, string>();

  constructor(expression: RegExp) {
    this.#context = createContext({ lines: "", expression }) as {
      lines: string;
      expression: RegExp;
    };
  }

  /**
   * Takes a piece of the output of one level.
   *
   * @returns Whether a line of it matches; lines count when they have ended.
   * @throws AgentError `E_REGEXP` when the expression takes too long on it.
   */
  push(level: number, text: string): boolean {
    const whole = (this.#open.get(level) ?? "") + text;
    const end = whole.lastIndexOf("\n");
    this.#open.set(level, whole.slice(end + 1).slice(0, LINE_UNITS));
    return end >= 0 && this.#test(whole.slice(0, end));
  }

  /** The output ended: lines without an end count too. */
  end(): boolean {
    const rest = [...this.#open.values()].join("\n");
    this.#open.clear();
    return rest !== "" && this.#test(rest);
  }

  #test(text: string): boolean {
    const lines = text.split("\n").map((line) => line.slice(0, LINE_UNITS).replace(/\r$/, ""));
    this.#context.lines = lines.join("\n");
    try {
      return this.#script.runInContext(this.#context, { timeout: LIMIT_MS }) === true;
    } catch (error) {
      if (errorCode(error) !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      const source = this.#context.expression.source;
      throw new AgentError(
        "E_REGEXP",
        `Cannot use running_match ${JSON.stringify(source)}: it takes more than ${LIMIT_MS} ms on one output`,
      );
    } finally {
      this.#context.lines = "";
    }
  }
}

/**
 * Reads an expression as configuration files write it.
 *
 * @throws AgentError `E_REGEXP` for one that cannot be used.
 */
export function parseExpression(text: string): RegExp {
  const flags = FLAGS.exec(text)?.[1] ?? "";
  const source = text
    .replace(FLAGS, "")
    .replaceAll("(?P<", "(?<")
    .replaceAll("\\A", "^")
    .replaceAll(/\\z/g, "$");
  const unknown = UNKNOWN_ESCAPE.exec(source)?.[0];
  const wrong = (what: string): AgentError =>
    new AgentError("E_REGEXP", `Cannot use running_match ${JSON.stringify(text)}: ${what}`);
  if (unknown !== undefined)
    throw wrong(`${unknown} seen, expected a JavaScript regular expression`);
  try {
    return new RegExp(source, [...new Set(flags)].join(""));
  } catch (error) {
    throw wrong(errorText(error).replace(/^Invalid regular expression: /, ""));
  }
}
