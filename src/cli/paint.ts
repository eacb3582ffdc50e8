import type { Io, Output } from "./io.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

export type Paint = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

const plain: Paint = (_style, text) => text;

/** Colours for one stream: on a terminal only, and never with `NO_COLOR` (https://no-color.org). */
export function choosePaint(output: Output, env: Io["env"]): Paint {
  const isWanted = output.isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return isWanted ? (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m` : plain;
}
