import type { GroupUsage, ProcessTree } from "../sys/process-tree.ts";
import type { Job } from "./job.ts";

const NO_USAGE: GroupUsage = { cpu: 0, rss: 0, vms: 0, swap: 0, cpuMs: 0 };

/** What the processes of each job use: those of its cgroup, or else of its process group. */
export function jobUsage(jobs: readonly Job[], processes: ProcessTree): (job: Job) => GroupUsage {
  const isGroup = (job: Job): boolean => job.cgroup === undefined && job.group > 0;
  const groups = processes.usage(jobs.filter(isGroup).map((job) => job.group));
  return (job) => cgroupUsage(job, processes) ?? groups.get(job.group) ?? NO_USAGE;
}

function cgroupUsage(job: Job, processes: ProcessTree): GroupUsage | undefined {
  const usage = job.cgroup?.usage();
  if (job.cgroup === undefined || usage === undefined) return undefined;
  const members = processes.usageOf(job.cgroup.pids());
  const { cpuMs, memoryBytes } = usage;
  const cpu = job.runningMs > 0 ? (cpuMs / job.runningMs) * 100 : 0;
  return { ...members, cpu, cpuMs, rss: memoryBytes ?? members.rss };
}
