import type { GroupUsage } from "../sys/process-tree.ts";
import { LEVEL } from "./capture.ts";
import type { JobMessage } from "./types.ts";

/**
 * What a job uses as statistics lines (wire protocol 10.1), for whoever listens to level 10. They are
 * no output of the job: neither its result nor its stream nor its followers see them.
 */
export class JobStatistics {
  readonly #jobId: string;
  #cpuMs = 0;
  #atMs: number;

  /** @param startedMs On the monotonic clock. */
  constructor(jobId: string, startedMs: number) {
    this.#jobId = jobId;
    this.#atMs = startedMs;
  }

  /** @param nowMs On the monotonic clock. */
  lines(usage: GroupUsage, nowMs: number, epochNs: bigint): JobMessage[] {
    const elapsedMs = nowMs - this.#atMs;
    // A member that ended takes its time along where there is no cgroup to remember it.
    const usedMs = Math.max(0, usage.cpuMs - this.#cpuMs);
    this.#cpuMs = usage.cpuMs;
    this.#atMs = nowMs;
    const percent = elapsedMs > 0 ? (usedMs / elapsedMs) * 100 : 0;
    return [
      this.#line("job.cpu", Number(percent.toFixed(2)), epochNs),
      this.#line("job.memory", usage.rss, epochNs),
    ];
  }

  #line(metric: string, value: number, epochNs: bigint): JobMessage {
    const id = this.#jobId.replaceAll(/[|,=\r\n]/g, "_");
    return {
      jobId: this.#jobId,
      text: `${metric}:${value}|A|id=${id}`,
      level: LEVEL.statistics,
      flags: 0,
      epochNs,
    };
  }
}
