/** What the supervisor needs of the kernel; tests pass one that records. */
export interface ServiceHost {
  /** Absolute path of the executable file a name or path stands for. */
  find(program: string): string | undefined;
  /** Starts a daemon that outlives the agent. @throws AgentError `E_SERVICE_START`. */
  start(request: StartRequest): Promise<StartedProcess>;
  /** Start time of a process in ticks; undefined for one that is gone or a zombie. */
  startTicks(pid: number): number | undefined;
  /** Identifies this run of the kernel: pids and ticks mean nothing in another one. */
  bootId(): string;
  /** To a process that is gone: nothing happens. */
  terminate(pid: number): void;
  /**
   * Kills the daemon and everything it started: all of its cgroup, and of the process group that it
   * leads. A process group that began with another leader is left alone.
   */
  killAll(process: ProcessName | undefined, cgroup: string | null): void;
  /** Reads what daemons append to `file` from its present end on; creates it. */
  follow(file: string, reader: OutputReader): OutputFollower;
  /** Environment of the agent. */
  env(name: string): string | undefined;
}

export interface OutputReader {
  push(text: string): void;
}

export interface OutputFollower {
  /** Reads at once what is new. */
  look(): void;
  stop(): void;
}

/** A process for ever: pids are used again, pairs of pid and start time are not. */
export interface ProcessName {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat`. Source: proc_pid_stat(5). */
  readonly startTicks: number;
}

export interface StartRequest {
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly dir: string;
  /** Standard output and standard error are appended here. */
  readonly outputFile: string;
  /** Directory of the cgroup it is moved to; null leaves it where the agent is. */
  readonly cgroup: string | null;
}

export interface StartedProcess extends ProcessName {
  /** In plain words: `exit code 1`, `signal SIGKILL`. Never rejects. */
  readonly ended: Promise<string>;
}
