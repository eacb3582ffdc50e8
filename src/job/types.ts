import type { JobHandle, ProcessSpec } from "../command/command.ts";
import type { CgroupLimits } from "../sys/cgroup.ts";

/** A command object as clients send it (wire protocol 4.2), after defaults. */
export interface CommandObject {
  readonly id: string;
  readonly command: string;
  /** Any JSON value; `undefined` when missing or `null`, which is not the same as `{}`. */
  readonly arguments: unknown;
  readonly queue: string;
  /** Seconds per run; 0 is no limit. */
  readonly maxTime: number;
  /** Total number of runs, not of repetitions (wire protocol 6.4). */
  readonly maxRestart: number;
  /** Seconds between runs; 0 runs once. */
  readonly recurringPeriod: number;
  readonly stream: boolean;
  readonly statsInterval: number;
  readonly logLevels: readonly number[] | null;
  readonly tags: readonly string[] | null;
  /** What its processes may use; a 0 takes the default of the node. An addition to the protocol. */
  readonly limits?: CgroupLimits;
}

export type JobState = "SUCCESS" | "ERROR" | "TIMEOUT" | "UNKNOWN_CMD";

/** The result object of wire protocol 5, member order as published. */
export interface JobResult {
  id: string;
  command: string;
  data: string;
  /** [stdout, stderr]; absent if the job never produced a running process. */
  streams?: [string, string];
  critical?: string;
  level: number;
  state: JobState;
  /** Unsigned 32 bit. */
  code: number;
  /** Milliseconds since the epoch; 0 for an unknown command. */
  starttime: number;
  /** Milliseconds. */
  time: number;
  tags: readonly string[] | null;
  /** 0 is the node itself. */
  container: number;
}

/** One message of a job (wire protocol 7 and 8). */
export interface JobMessage {
  readonly jobId: string;
  readonly text: string;
  readonly level: number;
  /** Bits 0-15 of `meta`: 1 stream requested, 2 end with success, 4 end with error. */
  readonly flags: number;
  /** Nanoseconds since the epoch: exceeds 2^53. */
  readonly epochNs: bigint;
}

/** What the engine needs to know of a command to run it; built by `api/` from the registry. */
export type Executable =
  | { readonly kind: "process"; readonly build: (args: unknown) => ProcessSpec }
  | {
      readonly kind: "builtin";
      readonly level: 0 | 20;
      /** Throws CommandError, or anything (code 500). May return a promise. */
      readonly run: (args: unknown, job: JobHandle) => unknown;
    };

/** Where the engine publishes. Implemented over the keyspace in `api/`. */
export interface JobSink {
  /** The command was taken: create `result:<id>:flag`. */
  accepted(id: string): void;
  /** True while `result:<id>:flag` exists (queued, running, or finished under 300 s ago). */
  isKnown(id: string): boolean;
  /** Every message of every job; the sink decides on `stream:<id>`, logs and statistics. */
  message(message: JobMessage): void;
  /** The job ended: flag expires, result is pushed, result expires (wire protocol 5.4). */
  finished(result: JobResult): void;
}

/** How the endpoint hands work to the engine. */
export interface JobIntake {
  /**
   * Takes the text of one element of `core:default`. Never throws: an undecodable object or an
   * empty id is logged and dropped, a known id is dropped (wire protocol 4.3, 4.4).
   */
  submit(text: string): void;
  /** False while `max_jobs` jobs are known; elements then stay unread in `core:default`. */
  hasRoom(): boolean;
  /** Calls back whenever `hasRoom` turns true again. */
  onRoom(listener: () => void): void;
  /**
   * Runs one command for a direct Redis command and resolves with its published result. A known id
   * rejects with AgentError `E_JOB_DUPLICATE`.
   *
   * @param options.isUnnamed The caller chose no id. A built-in that succeeds at once then leaves no
   *   keys: its whole result goes to the only one who knows that it ran.
   */
  run(command: CommandObject, options?: { readonly isUnnamed?: boolean }): Promise<JobResult>;
}

/** How a job the node starts itself differs from those of clients (wire protocol 6.8, 6.10). */
export interface OwnJobOptions {
  /**
   * Started again after every end, with growing delays, until it is dropped; `job.killall` spares
   * it, `job.kill` makes it start again. No result is published.
   */
  readonly isProtected?: boolean;
  /** Every message of every run. */
  readonly onMessage?: (message: JobMessage) => void;
  /** A run ended: its result, whether or not it is published. */
  readonly onRunEnd?: (result: JobResult) => void;
}

/** Jobs of the node's own: start-up services, name servers of bridges, monitors. They get no flag. */
export interface OwnJobs {
  /**
   * @returns Drops it: no further run, its processes end (15, then 9 after 5 s); resolves when
   *   they are gone.
   * @throws AgentError `E_JOB_DUPLICATE` when a job of this id is known; `E_COMMAND` for an unknown
   *   command name.
   */
  start(command: CommandObject, options?: OwnJobOptions): () => Promise<void>;
  /** The same for a program that is no command of the registry; `job.list` shows `command.command`. */
  startProgram(
    command: CommandObject,
    spec: ProcessSpec,
    options?: OwnJobOptions,
  ): () => Promise<void>;
}

/** One row of `job.list`. */
export interface JobInfo {
  /** Percent. */
  readonly cpu: number;
  readonly rss: number;
  readonly vms: number;
  readonly swap: number;
  /** Milliseconds since the epoch, or -6795364578871 while queued. */
  readonly starttime: number;
  /** The command object in wire form (wire protocol 4.2, last paragraph). */
  readonly cmd: Readonly<Record<string, unknown>>;
  /** 0 for built-ins and extensions, -1 when unknown. */
  readonly pid: number;
}

/** Receives the messages of another job, for `core.subscribe`. */
export interface JobFollower {
  /** Id of the job that follows. */
  readonly jobId: string;
  /** Null: the run ended without a last message. */
  readonly message: (message: JobMessage | null) => void;
}

/** What the `job.*` commands need of the engine. */
export interface JobControl {
  /** @param id Only this job; undefined for an unknown one. */
  list(id?: string): JobInfo[];
  /** False for an unknown job. @throws CommandError 500 while the job waits in a queue. */
  kill(id: string, signal: number): boolean;
  /**
   * Resolves when the process that was just killed is gone, after `limitMs` in any case. So who kills
   * a job and then asks for the list does not find it there.
   */
  whenKilled(id: string, limitMs: number): Promise<void>;
  /** Signal 15 to every job that is not protected. */
  killAll(): void;
  /** False for an unknown job. */
  unschedule(id: string): boolean;
  /** Pids of the processes of all running jobs, for `core.state`. */
  pids(): number[];
  /**
   * Replays the last messages of a job, then passes on each new one. The returned function ends it;
   * call it after the last message (flags 2 or 4) or null.
   *
   * @throws CommandError 500 for an unknown job, or one that follows the follower itself.
   */
  follow(id: string, follower: JobFollower): () => void;
}
