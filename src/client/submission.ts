/** What may be asked for a job beside its command and arguments (wire protocol 4.2). */
export interface Submission {
  /** Job id; random when undefined. A known id is not run again: its own result is returned. */
  readonly id?: string | undefined;
  /** Jobs of one queue run one after the other. */
  readonly queue?: string | undefined;
  /** Seconds one run may take; 0 or undefined is no limit. */
  readonly maxTimeS?: number | undefined;
  /** Total number of runs while the job fails. */
  readonly maxRestart?: number | undefined;
  /** Seconds between runs; 0 or undefined runs once. */
  readonly recurringPeriodS?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Publish messages on `stream:<id>`. */
  readonly stream?: boolean | undefined;
}

/** The text of one element of `core:default`. */
export function buildSubmission(
  command: string,
  args: unknown,
  options: Submission & { readonly id: string },
): string {
  return JSON.stringify({
    id: options.id,
    command,
    arguments: args,
    queue: options.queue ?? "",
    max_time: options.maxTimeS ?? 0,
    max_restart: options.maxRestart ?? 0,
    recurring_period: options.recurringPeriodS ?? 0,
    stream: options.stream ?? false,
    tags: options.tags ?? null,
  });
}
