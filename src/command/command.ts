import type { Schema } from "../base/schema.ts";

/** Codes a built-in may fail with (wire protocol 5.2). */
export type CommandErrorCode = 400 | 404 | 406 | 412 | 500 | 503;

/** A failure of a built-in that carries its result code; any other throw becomes 500. */
export class CommandError extends Error {
  readonly code: number;

  /** @param code One of {@link CommandErrorCode}, or 1000 + status of a helper program. */
  constructor(code: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CommandError";
    this.code = code;
  }
}

/** What a process-like command asks to run. */
export interface ProcessSpec {
  /** Program name or path; a name without slash is looked up in the node's own `PATH`. */
  readonly name: string;
  readonly args: readonly string[];
  /** Working directory; empty means `/`. */
  readonly dir: string;
  /** Added to the node's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for standard input; empty means the null device. */
  readonly stdin: string;
  /** False for extensions: `job.list` shows pid 0 (wire protocol 12). */
  readonly showPid: boolean;
}

/** What a running built-in may do with its own job. */
export interface JobHandle {
  readonly id: string;
  /** Emits one message of a level (wire protocol 7.1). */
  readonly emit: (level: number, text: string) => void;
  /** Aborted when the agent shuts down. `job.kill` does not touch built-ins. */
  readonly signal: AbortSignal;
}

/**
 * Who may run a command: `read` changes nothing and shows no secret; `operate` changes what runs on the
 * node; `admin` is as good as root on it (any program, any file, the node's own life).
 */
export type Access = "read" | "operate" | "admin";

interface CommandBase {
  /** Full name, for example `core.ping`. */
  readonly name: string;
  /** One sentence for `COMMAND DOCS`, `docs/commands.md` and the command line help. */
  readonly summary: string;
  /** `both`: also dispatched into containers. */
  readonly scope: "host" | "both";
  readonly access: Access;
  /** Shape of the result, in words. */
  readonly result: string;
}

/**
 * A command that runs inside the agent. Its return value becomes the level 20 result (`undefined`
 * becomes `null`). `level: 0` means it has no result value: what it emits on level 1 is its output.
 */
export interface BuiltinCommand<Services, A> extends CommandBase {
  readonly kind: "builtin";
  /** Undefined: the command never reads its arguments, so missing and malformed ones are fine. */
  readonly args?: Schema<A>;
  readonly level?: 0 | 20;
  /** Code for arguments that cannot be decoded; 500 unless the wire protocol names another. */
  readonly badArguments?: 400;
  readonly run: (services: Services, args: A, job: JobHandle) => unknown;
}

/** A command that runs one program (`core.system`, `bash`, extensions). */
export interface ProcessCommand<A> extends CommandBase {
  readonly kind: "process";
  readonly args: Schema<A>;
  /** Undecodable arguments reach this as `{}` (wire protocol 4.3). */
  readonly build: (args: A) => ProcessSpec;
}

export type Command<Services> =
  // biome-ignore lint/suspicious/noExplicitAny: the registry erases each command's argument type
  BuiltinCommand<Services, any> | ProcessCommand<any>;
