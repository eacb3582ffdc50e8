/** What the processes of a cgroup may use together; 0 is no limit. */
export interface CgroupLimits {
  /** Bytes. */
  readonly memory: number;
  readonly pids: number;
  /** Percent of one CPU. */
  readonly cpu: number;
}

export interface CgroupUsage {
  /** CPU time of everything that ever ran in it, milliseconds. */
  readonly cpuMs: number;
  /** Bytes; null where the kernel does not count them for this cgroup. */
  readonly memoryBytes: number | null;
}

/** A set of processes that none of its members can leave by forking. */
export interface Cgroup {
  /** Its directory; a program is started in it by naming this to the spawner. */
  readonly path: string;
  /** Undefined once it is removed. */
  usage(): CgroupUsage | undefined;
  pids(): number[];
  /** Kills (9) every member, and those they fork meanwhile. */
  kill(): void;
  /** True when the kernel killed members because the memory limit was reached. */
  ranOutOfMemory(): boolean;
  /** Kills what is left and removes the cgroup as soon as it is empty; returns at once. */
  remove(): void;
  /** Removes the cgroup once its members have ended by themselves; returns at once. */
  release(): void;
}

export interface Cgroups {
  /** Undefined: cgroups can be used. Otherwise why not, as the end of a sentence. */
  readonly obstacle: string | undefined;
  /**
   * @param id Any text; the name of the directory follows from it.
   * @throws AgentError `E_CGROUP` when it cannot be made or the kernel cannot enforce a limit.
   */
  create(id: string, limits: CgroupLimits): Cgroup;
  /**
   * Settles the cgroups a previous agent left: kills and removes those of jobs it had not ended, and
   * releases all others.
   *
   * @param ids The jobs that had not ended.
   * @returns How many of theirs held processes.
   */
  killLeftovers(ids: Iterable<string>): number;
}

export const NO_LIMITS: CgroupLimits = { memory: 0, pids: 0, cpu: 0 };
