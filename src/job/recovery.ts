import type { Clock } from "../base/clock.ts";
import type { Logger } from "../log/logger.ts";
import type { Cgroups } from "../sys/cgroup.ts";
import type { ProcessTree } from "../sys/process-tree.ts";
import type { Journal, UnfinishedJob } from "./journal.ts";
import { endOfStream } from "./run.ts";
import type { JobResult, JobSink } from "./types.ts";

/** Code of a job that was lost with the agent: its process died by a signal, as it were. */
export const LOST_JOB_CODE = 999;

/**
 * Settles what an agent that died left behind, before this one takes its first command: what is
 * left of unfinished jobs is killed and gets a result that says so; results of the last 300 s
 * are published again.
 */
export function recoverJobs(options: {
  journal: Journal;
  processes: ProcessTree;
  cgroups: Cgroups | null;
  sink: JobSink;
  log: Logger;
  clock: Clock;
}): void {
  const { journal, processes, cgroups, sink, log, clock } = options;
  const { unfinished, finished, isSameBoot } = journal.open();
  const leftovers = cgroups?.killLeftovers(unfinished.map(({ id }) => id)) ?? 0;
  if (leftovers > 0) log.warn("processes of the previous agent's jobs killed", { jobs: leftovers });
  for (const { result } of finished) {
    sink.accepted(result.id);
    sink.finished(result);
  }
  for (const job of unfinished) {
    if (job.process !== null && isSameBoot) {
      processes.killGroup(job.process.pid, job.process.startTicks);
    }
    const result = lostResult(job, clock.wallMs());
    sink.accepted(job.id);
    sink.message(endOfStream(job.id, job.stream, clock));
    sink.finished(result);
    journal.ended(result);
  }
  if (unfinished.length > 0) {
    log.warn("jobs were lost with the previous agent", { count: unfinished.length });
  }
}

function lostResult(job: UnfinishedJob, nowMs: number): JobResult {
  const when = job.process === null ? "before a process of the job was started" : WHILE_RUNNING;
  return {
    id: job.id,
    command: job.command,
    data: "",
    ...(job.process === null ? {} : { streams: ["", ""] as [string, string] }),
    critical: `agent restarted ${when}`,
    level: 0,
    state: "ERROR",
    code: LOST_JOB_CODE,
    starttime: job.acceptedMs,
    time: Math.max(0, Math.round(nowMs - job.acceptedMs)),
    tags: job.tags,
    container: 0,
  };
}

const WHILE_RUNNING = "while the job was running";
