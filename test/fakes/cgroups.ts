import { AgentError } from "../../src/base/errors.ts";
import type { Cgroup, CgroupLimits, Cgroups, CgroupUsage } from "../../src/sys/cgroup.ts";

export class FakeCgroup implements Cgroup {
  readonly path: string;
  readonly limits: CgroupLimits;
  readonly calls: string[] = [];
  members: number[] = [];
  current: CgroupUsage = { cpuMs: 0, memoryBytes: null };
  isOutOfMemory = false;

  constructor(path: string, limits: CgroupLimits) {
    this.path = path;
    this.limits = limits;
  }

  usage(): CgroupUsage {
    return this.current;
  }

  pids(): number[] {
    return this.members;
  }

  kill(): void {
    this.calls.push("kill");
  }

  ranOutOfMemory(): boolean {
    return this.isOutOfMemory;
  }

  remove(): void {
    this.calls.push("remove");
  }

  release(): void {
    this.calls.push("release");
  }
}

/** Cgroups in name only. */
export class FakeCgroups implements Cgroups {
  readonly made: FakeCgroup[] = [];
  obstacle: string | undefined;
  /** What `create` fails with. */
  failure: string | undefined;
  /** Jobs with processes that a previous agent left. */
  leftovers: string[] = [];

  create(id: string, limits: CgroupLimits): Cgroup {
    if (this.failure !== undefined) throw new AgentError("E_CGROUP", this.failure);
    const cgroup = new FakeCgroup(`/cgroup/${id}`, limits);
    this.made.push(cgroup);
    return cgroup;
  }

  killLeftovers(ids: Iterable<string>): number {
    const unfinished = new Set(ids);
    const count = this.leftovers.length;
    this.leftovers = this.leftovers.filter((id) => !unfinished.has(id));
    return count - this.leftovers.length;
  }

  get last(): FakeCgroup {
    const cgroup = this.made.at(-1);
    if (cgroup === undefined) throw new Error("no cgroup was made");
    return cgroup;
  }
}
