import { type ConfigKey, whole } from "./node-config-key.ts";

/** What jobs may use and what is kept of them: section `jobs`. Sizes in bytes. */
export interface JobsConfig {
  /** Results and streams kept for clients, all together; the oldest leave first. */
  readonly retention: number;
  /** One `stream:<id>`. */
  readonly stream: number;
  /** Limits of every job that names none itself; 0 is none. Enforced where cgroup v2 is. */
  readonly memory_max: number;
  readonly pids_max: number;
  /** Percent of one CPU. */
  readonly cpu_max: number;
}

const MIB = 1_048_576;
const TIB = 1_099_511_627_776;

export const DEFAULT_JOBS_CONFIG: JobsConfig = {
  retention: 128 * MIB,
  stream: 16 * MIB,
  memory_max: 0,
  pids_max: 0,
  cpu_max: 0,
};

export const JOBS_KEYS: readonly ConfigKey[] = [
  whole("jobs.retention", MIB, TIB),
  whole("jobs.stream", 65_536, TIB),
  whole("jobs.memory_max", 0, TIB),
  whole("jobs.pids_max", 0, 4_194_304),
  whole("jobs.cpu_max", 0, 1_000_000),
];
