import type { CommandObject, JobResult } from "./types.ts";

/** A job that was accepted and of which no end is known. */
export interface UnfinishedJob {
  readonly id: string;
  readonly command: string;
  readonly tags: readonly string[] | null;
  /** Somebody may wait for the end of its stream. */
  readonly stream: boolean;
  /** Milliseconds since the epoch. */
  readonly acceptedMs: number;
  /** Leader of the process group of its last run; null when no process was started. */
  readonly process: { readonly pid: number; readonly startTicks: number } | null;
}

/** A job whose result was published. */
export interface FinishedJob {
  readonly result: JobResult;
  /** Milliseconds since the epoch. */
  readonly endedMs: number;
}

/** What a journal tells the next agent. */
export interface JournalContent {
  readonly unfinished: readonly UnfinishedJob[];
  /** Results of the last 300 s, oldest first. */
  readonly finished: readonly FinishedJob[];
  /** False: the journal is of another run of the kernel, its pids mean nothing. */
  readonly isSameBoot: boolean;
}

/** Record of jobs that do not end at once, so that a crash of the agent loses none silently. */
export interface Journal {
  /**
   * Reads what the previous agent left; call first, once. Its unfinished jobs stay in the journal
   * until `ended` is called for them.
   */
  open(): JournalContent;
  accepted(command: CommandObject): void;
  /** A process of the job was started. */
  started(id: string, pid: number): void;
  /** An id that was not accepted is ignored. */
  ended(result: JobResult): void;
}

/** For an agent without a place to keep one. */
export const NO_JOURNAL: Journal = {
  open: () => ({ unfinished: [], finished: [], isSameBoot: true }),
  accepted: () => {},
  started: () => {},
  ended: () => {},
};
