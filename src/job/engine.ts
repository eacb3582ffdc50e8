import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import { CommandError, type ProcessSpec } from "../command/command.ts";
import type { Logger } from "../log/logger.ts";
import { type CgroupLimits, type Cgroups, NO_LIMITS } from "../sys/cgroup.ts";
import type { ProcessTree } from "../sys/process-tree.ts";
import type { Spawner } from "../sys/spawn.ts";
import { decodeCommand } from "./decode.ts";
import { FollowGraph } from "./follow-graph.ts";
import { Job, type JobContext } from "./job.ts";
import { JobCgroups } from "./job-cgroups.ts";
import { listJobs } from "./job-list.ts";
import { JobStatistics } from "./job-statistics.ts";
import { jobUsage } from "./job-usage.ts";
import type { Journal } from "./journal.ts";
import { DEFAULT_MAX_JOBS } from "./limits.ts";
import type { MessageHub } from "./message-hub.ts";
import { SerialQueues } from "./queue.ts";
import { recoverJobs } from "./recovery.ts";
import { unknownCommand } from "./result.ts";
import { endOfStream } from "./run.ts";
import type {
  CommandObject,
  Executable,
  JobControl,
  JobFollower,
  JobInfo,
  JobIntake,
  JobResult,
  JobSink,
  OwnJobOptions,
  OwnJobs,
} from "./types.ts";

export interface JobEngineOptions {
  /** The command of a name; undefined: nobody knows it (wire protocol 4.5). */
  readonly resolve: (name: string) => Executable | undefined;
  readonly sink: JobSink;
  readonly clock: Clock;
  readonly spawn: Spawner;
  readonly processes: ProcessTree;
  readonly journal: Journal;
  readonly log: Logger;
  /** Others who hear all messages and results, after the sink. */
  readonly hub?: MessageHub;
  readonly maxJobs?: number;
  /** Null or absent: jobs are process groups. */
  readonly cgroups?: Cgroups | null;
  /** Of jobs of clients that name none themselves. */
  readonly limits?: CgroupLimits;
}

/** Accepts commands, runs them as jobs and publishes what comes of it (wire protocol 4 to 8). */
export class JobEngine implements JobIntake, JobControl, OwnJobs {
  readonly #options: JobEngineOptions;
  readonly #maxJobs: number;
  readonly #context: JobContext;
  readonly #jobs = new Map<string, Job>();
  readonly #queues = new SerialQueues();
  readonly #follows = new FollowGraph();
  readonly #shutdown = new AbortController();
  readonly #roomListeners: (() => void)[] = [];
  /** Told when a job of the node's own is gone. */
  readonly #own = new Map<string, () => void>();
  /** Of jobs that are measured. */
  readonly #statistics = new WeakMap<Job, JobStatistics>();
  /** Job of `run` without an id of its own, until it is clear that it does not succeed at once. */
  #unnamed: string | undefined;
  /** Who waits for the result of a job of `run`. */
  readonly #waiters = new Map<string, (result: JobResult) => void>();

  constructor(options: JobEngineOptions) {
    const { clock, spawn, sink, journal, hub, log } = options;
    const cgroups = new JobCgroups({
      cgroups: options.cgroups ?? null,
      defaults: options.limits ?? NO_LIMITS,
      log,
    });
    this.#options = options;
    this.#maxJobs = options.maxJobs ?? DEFAULT_MAX_JOBS;
    this.#context = {
      clock,
      spawn,
      shutdown: this.#shutdown.signal,
      message: (message) => {
        sink.message(message);
        hub?.message(message);
      },
      openCgroup: (job) => cgroups.open(job.command, this.#own.has(job.command.id)),
      measure: (job) => this.#measure(job),
      started: (job, pid) => journal.started(job.command.id, pid),
      ended: (job, result) => this.#ended(job, result),
    };
  }

  /** Settles what the previous agent left. Call before the first command. */
  recover(): void {
    const { journal, processes, cgroups, sink, log, clock } = this.#options;
    recoverJobs({ journal, processes, cgroups: cgroups ?? null, sink, log, clock });
  }

  /**
   * The agent ends: no job runs again, none leaves its queue, running built-ins are told, programs get
   * signal 15. They could not go on, their output has nobody to read it. What does not end is killed by
   * the next agent's `recover`.
   */
  stop(): void {
    this.#shutdown.abort();
    for (const job of [...this.#jobs.values()]) job.drop();
    for (const job of this.#jobs.values()) if (job.phase === "running") job.kill(SIGTERM);
  }

  submit(text: string): void {
    const { log } = this.#options;
    let command: CommandObject;
    try {
      command = decodeCommand(text);
    } catch (error) {
      log.warn("command dropped: it cannot be decoded", { reason: errorText(error) });
      return;
    }
    if (command.id === "") log.debug("command dropped: it has no id");
    else if (this.#isKnown(command.id)) {
      log.debug("command dropped: its id is known", { job: command.id });
    } else this.#launch(command);
  }

  /** Jobs of the node's own do not count: those that never end would leave clients less, or nothing. */
  hasRoom(): boolean {
    return this.#jobs.size - this.#own.size < this.#maxJobs;
  }

  onRoom(listener: () => void): void {
    this.#roomListeners.push(listener);
  }

  /** Not subject to `maxJobs`: the number of connections limits it, and it must work to clean up. */
  run(command: CommandObject, { isUnnamed = false } = {}): Promise<JobResult> {
    const { id } = command;
    if (id === "" || this.#jobs.has(id) || (!isUnnamed && this.#isKnown(id))) {
      return Promise.reject(
        new AgentError("E_JOB_DUPLICATE", `Cannot run job "${id}": the id is empty or known`),
      );
    }
    return new Promise((resolve) => {
      this.#waiters.set(id, resolve);
      // Its stream could be read by nobody, but it would be there.
      if (isUnnamed && !command.stream) this.#unnamed = id;
      this.#launch(command);
    });
  }

  start(command: CommandObject, options: OwnJobOptions = {}): () => Promise<void> {
    const executable = this.#options.resolve(command.command);
    if (executable === undefined) {
      throw new AgentError("E_COMMAND", `Cannot start job "${command.id}": unknown command`, {
        fields: { command: command.command },
      });
    }
    return this.#startOwn(command, executable, options);
  }

  startProgram(
    command: CommandObject,
    spec: ProcessSpec,
    options: OwnJobOptions = {},
  ): () => Promise<void> {
    const given = { ...command, arguments: command.arguments ?? {} };
    return this.#startOwn(given, { kind: "process", build: () => spec }, options);
  }

  list(id?: string): JobInfo[] {
    const jobs = id === undefined ? [...this.#jobs.values()] : [this.#jobs.get(id)];
    return listJobs(
      jobs.filter((job) => job !== undefined && !job.isDoomed) as Job[],
      this.#options.processes,
    );
  }

  kill(id: string, signal: number): boolean {
    const job = this.#jobs.get(id);
    job?.kill(signal);
    return job !== undefined;
  }

  whenKilled(id: string, limitMs: number): Promise<void> {
    const job = this.#jobs.get(id);
    if (job?.hasProgram !== true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        stop();
        resolve();
      };
      const stop = job.onRunEnd(done);
      const cancel = this.#options.clock.after(limitMs, done);
    });
  }

  killAll(): void {
    for (const job of this.#jobs.values()) {
      // A queued job cannot be killed: it goes on to run when its turn comes (wire protocol 6.2).
      if (job.phase === "running" && !job.isProtected) job.kill(SIGTERM);
    }
  }

  unschedule(id: string): boolean {
    const job = this.#jobs.get(id);
    job?.unschedule();
    return job !== undefined;
  }

  /** Jobs by phase; those that have ended are no more. */
  counts(): Record<"queued" | "running" | "waiting", number> {
    const counts = { queued: 0, running: 0, waiting: 0 };
    for (const { phase } of this.#jobs.values()) if (phase !== "ended") counts[phase] += 1;
    return counts;
  }

  pids(): number[] {
    return [...this.#jobs.values()].flatMap(({ cgroup, group }) =>
      cgroup === undefined ? group || [] : cgroup.pids(),
    );
  }

  follow(id: string, follower: JobFollower): () => void {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new CommandError(500, `no job with id ${id}`);
    const forget = this.#follows.add(follower.jobId, id);
    const stop = job.follow(follower.message);
    return () => {
      forget();
      stop();
    };
  }

  #startOwn(
    command: CommandObject,
    executable: Executable,
    options: OwnJobOptions,
  ): () => Promise<void> {
    const { id } = command;
    if (id === "" || this.#jobs.has(id)) {
      throw new AgentError("E_JOB_DUPLICATE", `Cannot start job "${id}": the id is empty or known`);
    }
    const gone = Promise.withResolvers<void>();
    this.#own.set(id, gone.resolve);
    const job = new Job(command, executable, this.#context, options);
    this.#begin(job);
    return () => {
      job.drop();
      if (job.phase === "running") {
        job.kill(SIGTERM);
        const cancel = this.#options.clock.after(DROP_GRACE_MS, () => job.kill(SIGKILL));
        void gone.promise.then(cancel);
      }
      return gone.promise;
    };
  }

  #isKnown(id: string): boolean {
    return this.#jobs.has(id) || this.#options.sink.isKnown(id);
  }

  #launch(command: CommandObject): void {
    const { sink, resolve } = this.#options;
    if (command.id !== this.#unnamed) sink.accepted(command.id);
    const executable = resolve(command.command);
    if (executable === undefined) {
      this.#context.message(endOfStream(command.id, command.stream, this.#options.clock));
      this.#publish(unknownCommand(command));
      return;
    }
    this.#begin(new Job(command, executable, this.#context));
    if (command.id === this.#unnamed) this.#name();
  }

  /** A job nobody named becomes known when it does not succeed at once. */
  #name(): void {
    if (this.#unnamed === undefined) return;
    this.#options.sink.accepted(this.#unnamed);
    this.#unnamed = undefined;
  }

  #begin(job: Job): void {
    const { id, queue } = job.command;
    this.#jobs.set(id, job);
    if (queue === "") job.start();
    else {
      this.#queues.enter(queue, () => {
        if (job.phase === "queued") job.start();
        else this.#queues.leave(queue);
      });
    }
    if (job.phase !== "ended") this.#options.journal.accepted(job.command);
  }

  #ended(job: Job, result: JobResult): void {
    const { id, queue } = job.command;
    // One that was dropped in its queue has no place to give back: its turn still comes.
    const hasTurn = queue !== "" && job.startedMs > 0;
    const wasFull = !this.hasRoom();
    this.#jobs.delete(id);
    this.#options.journal.ended(result);
    // Those who look after a protected job know of its runs; nobody else waits for a result.
    if (!job.isProtected) this.#publish(result);
    this.#own.get(id)?.();
    this.#own.delete(id);
    if (hasTurn) this.#queues.leave(queue);
    if (wasFull && this.hasRoom()) for (const listener of this.#roomListeners) listener();
  }

  #measure(job: Job): void {
    const { clock, hub, processes } = this.#options;
    if (hub === undefined) return;
    const nowMs = clock.monotonicMs();
    let statistics = this.#statistics.get(job);
    if (statistics === undefined) {
      statistics = new JobStatistics(job.command.id, nowMs - job.runningMs);
      this.#statistics.set(job, statistics);
    }
    const usage = jobUsage([job], processes)(job);
    for (const line of statistics.lines(usage, nowMs, clock.wallNs())) hub.message(line);
  }

  #publish(result: JobResult): void {
    if (result.id === this.#unnamed && result.state === "SUCCESS") {
      this.#unnamed = undefined;
    } else {
      if (result.id === this.#unnamed) this.#name();
      this.#options.sink.finished(result);
    }
    this.#options.hub?.finished(result);
    const waiter = this.#waiters.get(result.id);
    this.#waiters.delete(result.id);
    waiter?.(result);
  }
}

const SIGTERM = 15;
const SIGKILL = 9;
/** How long a job of the node's own may take to end by itself. */
const DROP_GRACE_MS = 5000;
