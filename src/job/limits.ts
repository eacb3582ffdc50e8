import type { JobsConfig } from "../config/node-config-jobs.ts";
import type { CgroupLimits } from "../sys/cgroup.ts";

/** Limits of the job engine; `docs/jobs.md` lists them for operators. */

/** Jobs known at the same time, waiting ones included (wire protocol 6.7). */
export const DEFAULT_MAX_JOBS = 524_288;

/** Messages kept per stream for the result, and for subscribers (wire protocol 7.4). */
export const STREAM_MESSAGES = 100;
export const BACKLOG_MESSAGES = 10;

/** UTF-16 units kept per stream: twice this per job, the oldest messages leave first. */
export const STREAM_UNITS = 4 * 1024 * 1024;

/** UTF-16 units of one message with a header; a longer one is cut (wire protocol 7.2). */
export const MESSAGE_UNITS = 32 * 1024 * 1024;

/** Signals kept for the next run of a job that is between two runs (wire protocol 6.2). */
export const PENDING_SIGNALS = 5;

/** Wait before a failed job is run again (wire protocol 6.4). */
export const RESTART_DELAY_MS = 1000;

/** What the configuration allows a job that names no limit itself. */
export const defaultLimits = (config: JobsConfig): CgroupLimits => ({
  memory: config.memory_max,
  pids: config.pids_max,
  cpu: config.cpu_max,
});
