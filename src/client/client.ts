import { randomUUID } from "node:crypto";
import { AgentError } from "../base/errors.ts";
import type { JobResult } from "../job/types.ts";
import { type Endpoint, JobError } from "./errors.ts";
import { Follower, type OnMessage } from "./follower.ts";
import { awaitAcceptance, awaitResult, type Job, peekResult, submitJob } from "./job-flow.ts";
import { type Limits, limitSignal } from "./limits.ts";
import type { Channels } from "./pool.ts";
import { parseResult, resultValue } from "./result.ts";
import { buildSubmission, type Submission } from "./submission.ts";

export type { JobInfo, JobResult, JobState } from "../job/types.ts";

/** How long a node may be away while one of its jobs is waited for. */
const PATIENCE_MS = 30_000;

export interface WaitOptions extends Limits {
  /** Milliseconds to wait for a node that went away; default 30000, 0 gives up at once. */
  readonly patienceMs?: number | undefined;
}

export interface RunOptions extends WaitOptions, Submission {
  /** Gets every message while the job runs; switches `stream` on. */
  readonly onMessage?: OnMessage | undefined;
  /** Called once the node has confirmed that the command reached it. */
  readonly onSubmitted?: (() => void) | undefined;
}

/**
 * A client of one node; `connect` makes one. Any number of requests may be under way at a time.
 *
 * A job that fails is a value: {@link run} returns its result object whatever its state. Errors mean
 * that the outcome is not known or that the request was refused. A time limit or an abort ends the
 * waiting, not the job: `kill` ends the job.
 */
export class Client {
  readonly endpoint: Endpoint;
  readonly #pool: Channels;

  constructor(pool: Channels, endpoint: Endpoint) {
    this.#pool = pool;
    this.endpoint = endpoint;
  }

  /** Milliseconds one `PING` takes. */
  async ping(limits: Limits = {}): Promise<number> {
    const signal = limitSignal(limits);
    return await this.#pool.use(async (connection) => {
      const start = performance.now();
      await connection.call("PING", [], signal);
      return performance.now() - start;
    }, signal);
  }

  /**
   * Submits a command, waits for its result and returns it.
   *
   * @throws AgentError `E_SUBMIT_UNCERTAIN` | `E_JOB_NOT_ACCEPTED` | `E_JOB_UNKNOWN` (the node lost it) |
   * `E_CONNECT` | `E_CONNECTION_LOST` | `E_DEADLINE` | `E_ABORTED`, all with `fields.id`.
   */
  async run(command: string, args: unknown = {}, options: RunOptions = {}): Promise<JobResult> {
    const { onMessage } = options;
    const job = this.#job(options);
    return await namingJob(job.id, async () => {
      await this.#submit(
        command,
        args,
        { ...options, stream: onMessage ? true : options.stream },
        job,
      );
      options.onSubmitted?.();
      const follower = onMessage && new Follower(this.#pool, { ...job, onMessage });
      try {
        await awaitAcceptance(this.#pool, job);
        const result = await awaitResult(this.#pool, job);
        // Without `streams` no process ever ran, and its stream stays empty (wire protocol 5, 8).
        if (result.streams !== undefined) await follower?.finish();
        return result;
      } finally {
        follower?.stop();
      }
    });
  }

  /** Submits a command and returns its id as soon as the node has taken it. Errors: see {@link run}. */
  async start(command: string, args: unknown = {}, options: RunOptions = {}): Promise<string> {
    const job = this.#job(options);
    return await namingJob(job.id, async () => {
      await this.#submit(command, args, options, job);
      await awaitAcceptance(this.#pool, job);
      return job.id;
    });
  }

  /** Waits for the result of a job somebody started. @throws AgentError, see {@link run} */
  async wait(id: string, options: WaitOptions = {}): Promise<JobResult> {
    return await namingJob(id, () => awaitResult(this.#pool, this.#job({ ...options, id })));
  }

  /** The result of a job if it has ended, else null. @throws AgentError `E_JOB_UNKNOWN` */
  async peek(id: string, limits: Limits = {}): Promise<JobResult | null> {
    return await peekResult(this.#pool, this.#job({ ...limits, id }));
  }

  /**
   * Runs a command in its direct form, as a Redis command of its own.
   *
   * @param args Undefined sends none, which is not the same as `{}` (wire protocol 4.3).
   * @throws JobError when the job did not succeed; AgentError `E_REFUSED` for an unknown command,
   * `E_CONNECTION_LOST` when it is not known whether it ran.
   */
  async call(command: string, args?: unknown, limits: Limits = {}): Promise<JobResult> {
    const words = args === undefined ? [] : [JSON.stringify(args)];
    const signal = limitSignal(limits);
    return await this.#pool.use(
      async (connection) => parseResult(await connection.call(command, words, signal)),
      signal,
    );
  }

  /**
   * The value a command returns.
   *
   * @throws JobError when the job did not succeed; AgentError, see {@link call}
   */
  async value(command: string, args?: unknown, limits: Limits = {}): Promise<unknown> {
    return resultValue(await this.call(command, args, limits));
  }

  /** Sends a signal to a job; false when the node does not know it. */
  async kill(id: string, signalNumber: number, limits: Limits = {}): Promise<boolean> {
    return (await this.value("job.kill", { id, signal: signalNumber }, limits)) === true;
  }

  /** Ends every connection; requests under way fail with `E_CONNECTION_LOST`. */
  close(): void {
    this.#pool.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #job(options: WaitOptions & { readonly id?: string | undefined }): Job {
    return {
      id: options.id ?? randomUUID(),
      signal: limitSignal(options),
      patienceMs: options.patienceMs ?? PATIENCE_MS,
    };
  }

  async #submit(command: string, args: unknown, options: Submission, job: Job): Promise<void> {
    const text = buildSubmission(command, args, { ...options, id: job.id });
    await submitJob(this.#pool, text, job);
  }
}

/** Adds the job id to whatever goes wrong, so that the caller can look for the result later. */
async function namingJob<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AgentError) || error instanceof JobError) throw error;
    if ("id" in error.fields) throw error;
    throw new AgentError(error.code, error.message, {
      cause: error,
      fields: { ...error.fields, id },
    });
  }
}
