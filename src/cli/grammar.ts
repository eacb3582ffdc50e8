import type { Invocation } from "./invocation.ts";

/** What the value of an option or operand is; drives checks, help and completion. */
export type ValueKind = "text" | "integer" | "number" | "file";

export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly help: string;
  /** Placeholder of the value in help texts; absent: the option is a switch. */
  readonly value?: string;
  readonly kind?: ValueKind;
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly isRepeatable?: boolean;
  /** A switch that is on unless `--no-<name>` is given. */
  readonly isOnByDefault?: boolean;
}

export interface OperandSpec {
  readonly name: string;
  readonly help: string;
  readonly isRequired?: boolean;
  /** Takes all words that are left. */
  readonly isRest?: boolean;
  readonly choices?: readonly string[];
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly operands: readonly OperandSpec[];
  /** Options end at the first operand: what follows belongs to another program. */
  readonly isWrapper?: boolean;
  /** Paragraphs for `node0 help <command>`. */
  readonly details?: readonly string[];
  readonly examples: readonly string[];
}

/** One command of the tool: a row of the table that drives parsing, help and completion. */
export interface CliCommand extends CommandSpec {
  /** What `--help` shows with these operands; undefined: the help of the command itself. */
  readonly explain?: (operands: readonly string[]) => Promise<string | undefined>;
  /** @returns the exit code of the tool. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Options every command takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "output",
    short: "o",
    value: "FORMAT",
    choices: ["table", "json", "yaml"],
    help: "Output format",
  },
  { name: "host", value: "NAME", help: "Machine to talk to" },
  {
    name: "port",
    value: "PORT",
    kind: "integer",
    minimum: 1,
    maximum: 65535,
    help: "Its Redis port (6379)",
  },
  { name: "password-file", value: "FILE", kind: "file", help: "File that holds the password" },
  { name: "tls", help: "Speak TLS" },
  {
    name: "ca-file",
    value: "FILE",
    kind: "file",
    help: "Certificate the machine must show, or that signed it; implies --tls",
  },
  { name: "socket", value: "PATH", kind: "file", help: "Unix socket instead of host and port" },
  { name: "context", value: "FILE", kind: "file", help: "Context file that names the machine" },
  {
    name: "timeout",
    value: "SECONDS",
    kind: "number",
    minimum: 0.001,
    maximum: 2_000_000,
    help: "Stop waiting after this time",
  },
  { name: "help", short: "h", help: "Show help" },
];
