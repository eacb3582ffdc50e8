import { parseArgs } from "node:util";
import { AgentError, errorText } from "../../base/errors.ts";
import type { OperatorTarget } from "../operator-target.ts";

/** A command line of the operators' side, read. */
export interface OperatorWords {
  /** `nodes`, `policy` or `audit`, and what follows it without the options. */
  readonly operands: readonly string[];
  readonly target: OperatorTarget;
  readonly isJson: boolean;
  readonly note: string | undefined;
  readonly overlayAddress: string | undefined;
  readonly after: number;
  readonly limit: number;
  readonly follows: boolean;
}

const OPTIONS = {
  dir: { type: "string" },
  url: { type: "string" },
  ca: { type: "string" },
  "token-file": { type: "string" },
  output: { type: "string", short: "o", default: "table" },
  note: { type: "string" },
  "overlay-address": { type: "string" },
  after: { type: "string", default: "0" },
  limit: { type: "string" },
  follow: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * Reads the words after `node0 controller`. @returns Undefined when help is asked for.
 * @throws AgentError `E_USAGE`
 */
export function readWords(words: readonly string[]): OperatorWords | undefined {
  const { values, positionals } = parse(words);
  if (values.help) return undefined;
  const { output } = values;
  if (output !== "table" && output !== "json") {
    throw usage(`Cannot write ${output}: expected table or json`);
  }
  return {
    operands: positionals,
    target: readTargetOptions(values),
    isJson: output === "json",
    note: values.note,
    overlayAddress: values["overlay-address"],
    after: readCount("--after", values.after),
    limit: values.limit === undefined ? Infinity : readCount("--limit", values.limit),
    follows: values.follow,
  };
}

export function usage(message: string): AgentError {
  return new AgentError("E_USAGE", message);
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const [reason = ""] = errorText(error).split(". ");
    throw usage(`Cannot read the command line: ${reason}`);
  }
}

function readTargetOptions(values: ReturnType<typeof parse>["values"]): OperatorTarget {
  const { dir, url, ca: caFile, "token-file": tokenFile } = values;
  const parts = [url, caFile, tokenFile].filter((value) => value !== undefined);
  if (dir !== undefined && parts.length === 0) return { dir };
  if (dir === undefined && url !== undefined && caFile !== undefined && tokenFile !== undefined) {
    return { url, caFile, tokenFile };
  }
  throw usage(
    "Cannot tell which controller: expected either --dir DIR, or all of --url URL --ca FILE --token-file FILE",
  );
}

function readCount(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usage(`Cannot use ${name} ${text}: expected a whole number`);
}
