import type { AgentError } from "../base/errors.ts";

/** What to run. Every text must be free of NUL characters. */
export interface SpawnRequest {
  /** Absolute path, or a path relative to `dir`. */
  readonly path: string;
  /** The whole argument vector, program name first. */
  readonly argv: readonly string[];
  readonly dir: string;
  /** Added to the environment the spawner was given. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for standard input; empty means the null device. */
  readonly stdin: string;
  /** Directory of the cgroup (v2) it starts in: it never runs outside. Absent: where the agent is. */
  readonly cgroup?: string;
}

/** How a process ended: exactly one is set. Both null: it was reaped by somebody else. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: number | null;
}

/** Exactly one of `failed` and `ended` is called, once, last. */
export interface SpawnEvents {
  /** The program runs in a process group of its own, whose id is `pid`. */
  started(pid: number): void;
  /**
   * @param chunk At most CHUNK_BYTES bytes, valid only during the call.
   * @param isFull The chunk filled the read buffer: where it ends says nothing about the writer.
   */
  output(stream: 1 | 2, chunk: Uint8Array, isFull: boolean): void;
  /** The process is reaped and both output pipes are at end of file. */
  ended(exit: ExitStatus): void;
  /** It never ran. @param error `E_SPAWN` with the field `errno`. */
  failed(error: AgentError): void;
}

export interface SpawnedProcess {
  /**
   * Sends a signal to the whole process group; before the start it is kept until then, after the
   * end it does nothing. After signal 9 the output pipes are closed `KILL_GRACE_MS` after the
   * process was reaped, whoever else holds them open.
   */
  kill(signal: number): void;
}

export interface Spawner {
  /** Never throws; never calls an event before it returns. */
  spawn(request: SpawnRequest, events: SpawnEvents): SpawnedProcess;
  /**
   * The executable file for a program name, looked up in the node's own `PATH` when the name has
   * no slash; undefined when there is none.
   */
  find(name: string, dir: string): string | undefined;
}

/** Bytes read at once from an output pipe (wire protocol 7.3). */
export const CHUNK_BYTES = 32_768;

/** How long a pipe may outlive a process that was killed with signal 9. */
export const KILL_GRACE_MS = 2000;
