import type { ProcessSpec } from "../command/command.ts";

/** A program that configuration offers as a command (wire protocol 12). */
export interface Extension {
  readonly binary: string;
  /** Every `{name}` in these is replaced by the argument of that name. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What to run for one call of an extension. Placeholders without an argument stay as they are,
 * braces included; what was put in is not looked at again.
 */
export function buildExtension(
  extension: Extension,
  values: Readonly<Record<string, unknown>>,
): ProcessSpec {
  const { binary, args, cwd, env } = extension;
  const stdin = values["stdin"];
  return {
    name: binary,
    args: args.map((text) => substitute(text, (name) => argumentOf(values, name))),
    dir: cwd,
    env,
    stdin: typeof stdin === "string" ? stdin : "",
    showPid: false,
  };
}

/** Names between braces in a text. */
export function placeholders(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
}

/** Puts values for names between braces; a name without one stays as it is. */
export function substitute(text: string, value: (name: string) => string | undefined): string {
  return text.replace(
    PLACEHOLDER,
    (placeholder: string, name: string) => value(name) ?? placeholder,
  );
}

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** What is for standard input is put nowhere else. */
function argumentOf(values: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return name !== "stdin" && Object.hasOwn(values, name) ? formatText(values[name]) : undefined;
}

/** The text form of a JSON value that existing configurations rely on (wire protocol 12). */
export function formatText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "number") return formatNumber(value);
  if (Array.isArray(value)) return `[${value.map(formatText).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, member]) => `${name}:${formatText(member)}`).join(" ")}]`;
}

const SMALLEST_EXPONENT = -4;
const LARGEST_EXPONENT = 5;

/** Shortest digits; an exponent of at least two digits below 0.0001 and from one million upwards. */
function formatNumber(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= SMALLEST_EXPONENT && exponent <= LARGEST_EXPONENT) return String(value);
  const sign = exponent < 0 ? "-" : "+";
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
