import { randomUUID } from "node:crypto";
import { AgentError } from "../base/errors.ts";
import type { JobResult } from "../job/types.ts";
import { type Endpoint, JobError } from "./errors.ts";
import type { EventChannel, NodeEvent } from "./events.ts";
import { Follower } from "./follower.ts";
import type { CommandArguments } from "./generated/arguments.ts";
import type { CommandValues } from "./generated/values.ts";
import { awaitAcceptance, awaitResult, type Job, peekResult, submitJob } from "./job-flow.ts";
import { JobStream } from "./job-stream.ts";
import { type Limits, limitSignal } from "./limits.ts";
import type { Channels } from "./pool.ts";
import { failureText, parseResult, resultValue } from "./result.ts";
import type { RunOptions, WaitOptions } from "./run-options.ts";
import type { StreamMessage } from "./stream.ts";
import { buildSubmission, type Submission } from "./submission.ts";

export type { JobInfo, JobResult, JobState } from "../job/types.ts";
export type { RunOptions, WaitOptions } from "./run-options.ts";

/** How long a node may be away while one of its jobs is waited for. */
const PATIENCE_MS = 30_000;

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
        // Without `streams` no process ever ran: its stream holds the end at most (wire protocol 5, 8).
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

  /**
   * Submits a command and gives its messages to a `for await` loop while it runs. The loop sets the pace;
   * the node keeps the newest 1000 messages for a slow one. Errors come out of the loop: see {@link run}.
   */
  stream(command: string, args: unknown = {}, options: RunOptions = {}): JobStream {
    const id = options.id ?? randomUUID();
    return new JobStream(id, (onMessage, left) => {
      const signals = options.signal === undefined ? [left] : [left, options.signal];
      const signal = AbortSignal.any(signals);
      return this.run(command, args, { ...options, id, signal, onMessage });
    });
  }

  /**
   * The messages of a job somebody started, from its last ten on. Any number of clients can follow a job.
   *
   * @throws JobError (in the loop) when the node does not know the job.
   */
  async *follow(id: string, options: WaitOptions = {}): AsyncGenerator<StreamMessage, void> {
    const copy = this.stream("core.subscribe", { id }, options);
    let held: StreamMessage | undefined;
    for await (const message of copy) {
      // The refusal of an unknown job looks like the last message of a known one.
      if (message.isLast) held = message;
      else yield { ...message, jobId: id };
    }
    const result = await copy.result();
    // A copy that ran has the state of the job it followed and no code (wire protocol 8.1).
    if (result.state !== "SUCCESS" && result.code !== 0) {
      throw new JobError(result, failureText(result));
    }
    if (held !== undefined) yield { ...held, jobId: id };
  }

  /**
   * What the node tells by itself: `boot` (the whole boot so far, then its changes), `log` (messages of all
   * jobs from now on), `job:<id>` (its last messages, those to come, and its result, which ends the loop).
   *
   * @throws AgentError (in the loop) `E_REFUSED` for a job nobody knows, `E_CONNECTION_LOST`
   */
  async *events(channel: EventChannel, limits: Limits = {}): AsyncGenerator<NodeEvent, void> {
    const { readEvents } = await import("./events.ts");
    yield* readEvents(this.#pool, channel, limitSignal(limits));
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
  async value<Name extends keyof CommandValues>(
    command: Name,
    args?: CommandArguments[Name] | Readonly<Record<string, never>>,
    limits?: Limits,
  ): Promise<CommandValues[Name]>;
  async value(command: string, args?: unknown, limits?: Limits): Promise<unknown>;
  async value(command: string, args?: unknown, limits: Limits = {}): Promise<unknown> {
    return resultValue(await this.call(command, args, limits));
  }

  /** Takes the first element of a list, waiting for one; null when none came. */
  async pop(key: string, seconds: number, limits: Limits = {}): Promise<string | null> {
    const signal = limitSignal(limits);
    const reply = await this.#pool.use((c) => c.block("BLPOP", [key], seconds, signal), signal);
    return Array.isArray(reply) ? String(reply[1]) : null;
  }

  /** Takes what is in a list and leaves none. */
  async drain(key: string, limits: Limits = {}): Promise<void> {
    const signal = limitSignal(limits);
    await this.#pool.use(async (connection) => {
      while ((await connection.call("LPOP", [key], signal)) !== null);
    }, signal);
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
