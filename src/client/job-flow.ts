import { AgentError } from "../base/errors.ts";
import type { JobResult } from "../job/types.ts";
import type { Channels } from "./pool.ts";
import { parseResult } from "./result.ts";
import { retryWhileAway } from "./retry.ts";

/** Seconds the node has to take a command, and the longest single wait for a result. */
const WAIT_S = 10;

/** A job as whoever waits for it sees it. */
export interface Job {
  readonly id: string;
  readonly signal: AbortSignal;
  /** How long to wait for a node that went away. */
  readonly patienceMs: number;
}

const flagKey = (id: string) => `result:${id}:flag`;
const resultKey = (id: string) => `result:${id}`;

/**
 * Puts one command object on `core:default`, exactly once.
 *
 * When the connection breaks before the node confirmed, the job may or may not have been taken. It is
 * then looked up, never sent again: running a command twice is worse than asking the caller.
 *
 * @throws AgentError `E_SUBMIT_UNCERTAIN` and whatever a connection throws.
 */
export async function submitJob(pool: Channels, text: string, job: Job): Promise<void> {
  try {
    await pool.use(
      (connection) => connection.call("RPUSH", ["core:default", text], job.signal),
      job.signal,
    );
  } catch (error) {
    if ((error as { code?: unknown }).code !== "E_CONNECTION_LOST") throw error;
    if (await retryWhileAway(() => isKnown(pool, job), job)) return;
    throw new AgentError(
      "E_SUBMIT_UNCERTAIN",
      `Cannot tell whether job ${job.id} was started: the connection broke during submission`,
      { cause: error },
    );
  }
}

/**
 * Waits until the node has taken the job (wire protocol 4.1, step 3).
 *
 * @throws AgentError `E_JOB_NOT_ACCEPTED` after 10 s.
 */
export async function awaitAcceptance(pool: Channels, job: Job): Promise<void> {
  const key = flagKey(job.id);
  const flag = await retryWhileAway(
    () => pool.use((c) => c.block("BRPOPLPUSH", [key, key], WAIT_S, job.signal), job.signal),
    job,
  );
  if (flag !== null) return;
  throw new AgentError(
    "E_JOB_NOT_ACCEPTED",
    `Cannot see job ${job.id} start: the node did not take it within ${WAIT_S} s, it may be full`,
  );
}

/**
 * Waits for the result of a job the node knows (wire protocol 4.1, step 4).
 *
 * @throws AgentError `E_JOB_UNKNOWN` as soon as the node does not know the job.
 */
export async function awaitResult(pool: Channels, job: Job): Promise<JobResult> {
  const key = resultKey(job.id);
  for (;;) {
    const text = await retryWhileAway(async () => {
      if (!(await isKnown(pool, job))) throw unknownJob(job.id);
      return await pool.use(
        (c) => c.block("BRPOPLPUSH", [key, key], WAIT_S, job.signal),
        job.signal,
      );
    }, job);
    if (text !== null) return parseResult(text);
  }
}

/** The result of a job if it has ended, else null. @throws AgentError `E_JOB_UNKNOWN` */
export async function peekResult(pool: Channels, job: Job): Promise<JobResult | null> {
  if (!(await isKnown(pool, job))) throw unknownJob(job.id);
  const key = resultKey(job.id);
  const text = await pool.use((c) => c.call("RPOPLPUSH", [key, key], job.signal), job.signal);
  return text === null ? null : parseResult(text);
}

/** True while the job waits or runs: its flag has no expiry (wire protocol 5.4). */
export async function isRunning(pool: Channels, job: Job): Promise<boolean> {
  const ttl = await pool.use((c) => c.call("TTL", [flagKey(job.id)], job.signal), job.signal);
  return Number(ttl) === -1;
}

async function isKnown(pool: Channels, job: Job): Promise<boolean> {
  const count = await pool.use((c) => c.call("EXISTS", [flagKey(job.id)], job.signal), job.signal);
  return Number(count) > 0;
}

function unknownJob(id: string): AgentError {
  return new AgentError(
    "E_JOB_UNKNOWN",
    `Cannot find job ${id}: the node does not know it (results are kept for 5 minutes)`,
    { fields: { id } },
  );
}
