import type { Clock } from "../base/clock.ts";
import type { Cgroup } from "../sys/cgroup.ts";
import { LEVEL } from "./capture.ts";
import type { JobMessage, JobState } from "./types.ts";

/** Bits 0-15 of a message's `meta` (wire protocol 8). */
export const FLAG = { stream: 1, success: 2, error: 4 };

/** The last message of a run that has nothing else to say: readers of a stream wait for it. */
export const endMessage = (isSuccess: boolean): { level: number; text: string; flags: number } =>
  isSuccess
    ? { level: LEVEL.stdout, text: "", flags: FLAG.success }
    : { level: LEVEL.stderr, text: "", flags: FLAG.error };

/** The same for a job that never had a run. */
export function endOfStream(jobId: string, isStreamed: boolean, clock: Clock): JobMessage {
  const { flags, ...message } = endMessage(false);
  const epochNs = clock.wallNs();
  return { jobId, ...message, flags: isStreamed ? flags | FLAG.stream : flags, epochNs };
}

/** How one run ended. */
export interface RunOutcome {
  readonly state: JobState;
  readonly code: number;
  /** False when there never was a running process: the result then has no `streams`. */
  readonly hasStreams: boolean;
  /** Plain text for `data`, for a program that could not be started. */
  readonly reason?: string;
  /** Text for `critical`, for a command that could not be carried out at all. */
  readonly panic?: string;
}

/** What a run reports. `ended` comes once, last; it may come before the run was even returned. */
export interface RunEvents {
  emit(level: number, text: string, flags: number): void;
  /** A process was started. */
  started(pid: number): void;
  ended(outcome: RunOutcome): void;
}

/** One execution of a command. A job has several when it recurs or restarts. */
export interface Run {
  /** 0 for built-ins and programs without a visible pid, -1 while not known. */
  readonly pid: number;
  /** What its processes run in; absent for built-ins and where there are no cgroups. */
  readonly cgroup?: Cgroup | undefined;
  /** Built-ins ignore it (wire protocol 6.2). */
  kill(signal: number): void;
}

/** A run that is over, or one that nothing can be done about. */
export const IDLE_RUN: Run = { pid: 0, kill: () => {} };
