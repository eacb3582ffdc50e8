import type { ProcessTree } from "../sys/process-tree.ts";
import { formatCommand } from "./format.ts";
import type { Job } from "./job.ts";
import { jobUsage } from "./job-usage.ts";
import type { JobInfo } from "./types.ts";

/** How the reference encodes "never started" (wire protocol 6.6). */
const NEVER_MS = -6_795_364_578_871;

/** Rows of `job.list` (wire protocol, family job), members in published order. */
export function listJobs(jobs: readonly Job[], processes: ProcessTree): JobInfo[] {
  const usage = jobUsage(jobs, processes);
  return jobs.map((job) => {
    const { cpu, rss, vms, swap } = usage(job);
    return {
      cpu,
      rss,
      vms,
      swap,
      starttime: job.phase === "queued" ? NEVER_MS : job.startedMs,
      cmd: formatCommand(job.command),
      pid: job.shownPid,
    };
  });
}
