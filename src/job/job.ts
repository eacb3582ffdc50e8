import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import { CommandError } from "../command/command.ts";
import type { Cgroup } from "../sys/cgroup.ts";
import type { Spawner } from "../sys/spawn.ts";
import { Capture } from "./capture.ts";
import { PENDING_SIGNALS, RESTART_DELAY_MS } from "./limits.ts";
import { RespawnDelay } from "./respawn-delay.ts";
import { buildResult } from "./result.ts";
import { endMessage, FLAG, IDLE_RUN, type Run, type RunEvents, type RunOutcome } from "./run.ts";
import { startBuiltin } from "./run-builtin.ts";
import { startProcess } from "./run-process.ts";
import type {
  CommandObject,
  Executable,
  JobFollower,
  JobMessage,
  JobResult,
  OwnJobOptions,
} from "./types.ts";

/**
 * queued: waits for its serial queue or was not started yet. running: a run is under way, which
 * includes a program that is being started. waiting: between two runs. ended: its result is out; a
 * job that was dropped in its queue gets there without a run.
 */
export type JobPhase = "queued" | "running" | "waiting" | "ended";

/** Every transition there is; anything else is a programming error. */
const NEXT: Readonly<Record<JobPhase, readonly JobPhase[]>> = {
  queued: ["running", "ended"],
  running: ["waiting", "ended"],
  waiting: ["running", "ended"],
  ended: [],
};

export interface JobContext {
  readonly clock: Clock;
  readonly spawn: Spawner;
  /** Aborted when the agent shuts down. */
  readonly shutdown: AbortSignal;
  /** @throws CommandError when the limits of the job cannot be enforced. */
  openCgroup(job: Job): Cgroup | undefined;
  /** `statsInterval` has passed once more while a process runs. */
  measure(job: Job): void;
  message(message: JobMessage): void;
  started(job: Job, pid: number): void;
  ended(job: Job, result: JobResult): void;
}

/** One command from acceptance to its result: one run, or several (wire protocol 6). */
export class Job {
  readonly command: CommandObject;
  readonly #executable: Executable;
  readonly #context: JobContext;
  readonly #own: OwnJobOptions;
  readonly #respawn = new RespawnDelay();
  readonly #followers = new Set<JobFollower["message"]>();
  readonly #signals: number[] = [];
  #phase: JobPhase = "queued";
  #run: Run | undefined;
  #capture = new Capture();
  #runs = 0;
  #isUnscheduled = false;
  #hasTimedOut = false;
  #startedMs = 0;
  #startedAtMs = 0;
  /** Pid of the process of the current run, also where `job.list` does not show it. */
  #pid = 0;
  #result: JobResult | undefined;
  /** Signal 9 was sent to the current run. */
  #isKilled = false;
  readonly #runEndWaiters = new Set<() => void>();
  #cancelLimit: () => void = () => {};
  #cancelMeasuring: () => void = () => {};
  #cancelWait: () => void = () => {};

  /** @param own For a job the node starts itself. */
  constructor(
    command: CommandObject,
    executable: Executable,
    context: JobContext,
    own: OwnJobOptions = {},
  ) {
    this.command = command;
    this.#executable = executable;
    this.#context = context;
    this.#own = own;
  }

  get isProtected(): boolean {
    return this.#own.isProtected === true;
  }

  get phase(): JobPhase {
    return this.#phase;
  }

  /** Milliseconds since the epoch of the current or last run. */
  get startedMs(): number {
    return this.#startedMs;
  }

  /** A program runs or is being started. */
  get hasProgram(): boolean {
    return this.#run !== undefined && this.#executable.kind === "process";
  }

  /** How long the current run has lasted. */
  get runningMs(): number {
    return this.#context.clock.monotonicMs() - this.#startedAtMs;
  }

  /** Killed for good: it only waits for the kernel to take its processes away. */
  get isDoomed(): boolean {
    return this.#isKilled && this.#run !== undefined && !this.#mayRunAgain("ERROR");
  }

  /** What the current run lives in. */
  get cgroup(): Cgroup | undefined {
    return this.#run?.cgroup;
  }

  /** Process group of the current run; 0 when there is none. */
  get group(): number {
    return this.#pid;
  }

  /** As `job.list` shows it: 0 for built-ins and extensions, -1 when unknown. */
  get shownPid(): number {
    if (this.#run !== undefined) return this.#run.pid;
    return this.#phase === "queued" || this.#executable.kind === "builtin" ? 0 : -1;
  }

  /** Starts the first run. A job of a synchronous built-in has ended when this returns. */
  start(): void {
    this.#startRun();
  }

  /** @throws CommandError 500 while queued, or when too many signals wait for the next run. */
  kill(signal: number): void {
    const { id } = this.command;
    if (this.#phase === "queued") throw new CommandError(500, `job ${id} waits in a queue`);
    if (this.#executable.kind === "builtin") return;
    if (this.#run !== undefined) {
      this.#isKilled ||= signal === SIGKILL;
      this.#run.kill(signal);
      return;
    }
    if (this.#signals.length >= PENDING_SIGNALS) {
      throw new CommandError(500, `job ${id} has ${PENDING_SIGNALS} undelivered signals`);
    }
    this.#signals.push(signal);
  }

  /** No further run; the current one goes on. */
  unschedule(): void {
    this.#isUnscheduled = true;
    if (this.#phase === "waiting") this.#end();
  }

  /** Ends a job that waits in its queue, without a run; another one goes on as it was. */
  drop(): void {
    this.unschedule();
    if (this.#phase !== "queued") return;
    const { level, text, flags } = endMessage(false);
    this.#emit(level, text, flags);
    this.#result = buildResult({
      command: this.command,
      outcome: { state: "ERROR", code: DROPPED, hasStreams: false, reason: "dropped in its queue" },
      capture: this.#capture,
      startedMs: 0,
      durationMs: 0,
    });
    this.#end();
  }

  /** Calls back when the process of the current run is gone. The returned function ends it. */
  onRunEnd(listener: () => void): () => void {
    this.#runEndWaiters.add(listener);
    return () => this.#runEndWaiters.delete(listener);
  }

  /** Replays the last messages, then passes on every new one. The returned function ends it. */
  follow(follower: JobFollower["message"]): () => void {
    for (const message of this.#capture.backlog()) follower(message);
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #startRun(): void {
    this.#enter("running");
    this.#runs += 1;
    this.#capture = new Capture();
    this.#hasTimedOut = false;
    this.#isKilled = false;
    this.#startedMs = this.#context.clock.wallMs();
    this.#startedAtMs = this.#context.clock.monotonicMs();
    const run = this.#execute();
    if (this.#phase !== "running") return;
    this.#run = run;
    if (this.#executable.kind === "builtin") this.#limitTime();
    for (const signal of this.#signals.splice(0)) this.kill(signal);
  }

  #execute(): Run {
    const { command } = this;
    const { spawn, shutdown } = this.#context;
    const events: RunEvents = {
      emit: (level, text, flags) => this.#emit(level, text, flags),
      started: (pid) => {
        this.#pid = pid;
        this.#limitTime();
        this.#measureLater();
        this.#context.started(this, pid);
      },
      ended: (outcome) => this.#runEnded(outcome),
    };
    return this.#executable.kind === "builtin"
      ? startBuiltin(this.#executable, { command, signal: shutdown, events })
      : startProcess(this.#executable, {
          command,
          spawn,
          openCgroup: () => this.#context.openCgroup(this),
          // It is started again, and must find what it needs free.
          endsWhole: this.isProtected,
          events,
        });
  }

  #measureLater(): void {
    const { statsInterval } = this.command;
    if (statsInterval <= 0) return;
    this.#cancelMeasuring = this.#context.clock.after(statsInterval * MS_PER_SECOND, () => {
      this.#context.measure(this);
      this.#measureLater();
    });
  }

  /** Wire protocol 6.3: a built-in cannot be interrupted, its run goes on. */
  #limitTime(): void {
    const { maxTime } = this.command;
    if (maxTime <= 0) return;
    this.#cancelLimit = this.#context.clock.after(maxTime * MS_PER_SECOND, () => {
      this.#hasTimedOut = true;
      this.#isKilled = true;
      (this.#run ?? IDLE_RUN).kill(SIGKILL);
    });
  }

  #emit(level: number, text: string, flags: number): void {
    const message: JobMessage = {
      jobId: this.command.id,
      text,
      level,
      flags: this.command.stream ? flags | FLAG.stream : flags,
      epochNs: this.#context.clock.wallNs(),
    };
    this.#capture.record(message);
    this.#context.message(message);
    this.#own.onMessage?.(message);
    if (this.#followers.size === 0) return;
    const followers = [...this.#followers];
    // Followers stay for one run: its last message is their last one.
    if ((flags & (FLAG.success | FLAG.error)) !== 0) this.#followers.clear();
    for (const follower of followers) follower(message);
  }

  #runEnded(outcome: RunOutcome): void {
    this.#cancelLimit();
    this.#cancelMeasuring();
    this.#run = undefined;
    this.#pid = 0;
    const { clock } = this.#context;
    const isTimeout = this.#hasTimedOut && outcome.state !== "SUCCESS";
    this.#result = buildResult({
      command: this.command,
      outcome: isTimeout ? { ...outcome, state: "TIMEOUT" } : outcome,
      capture: this.#capture,
      startedMs: this.#startedMs,
      durationMs: clock.monotonicMs() - this.#startedAtMs,
    });
    this.#own.onRunEnd?.(this.#result);
    const waiters = [...this.#runEndWaiters];
    this.#runEndWaiters.clear();
    const delayMs = this.#nextRunDelayMs(outcome);
    if (delayMs === undefined) {
      this.#end();
    } else {
      this.#enter("waiting");
      this.#cancelWait = clock.after(delayMs, () => this.#startRun());
    }
    for (const waiter of waiters) waiter();
  }

  /** Undefined: that was the last run. Recurrence goes before restart (wire protocol 6.5). */
  #nextRunDelayMs(outcome: RunOutcome): number | undefined {
    const { recurringPeriod } = this.command;
    if (!this.#mayRunAgain(outcome.state)) return undefined;
    if (this.isProtected) return this.#respawn.next(this.runningMs);
    return recurringPeriod > 0 ? recurringPeriod * MS_PER_SECOND : RESTART_DELAY_MS;
  }

  #mayRunAgain(state: JobResult["state"]): boolean {
    const { recurringPeriod, maxRestart } = this.command;
    if (this.#isUnscheduled) return false;
    if (this.isProtected || recurringPeriod > 0) return true;
    return state !== "SUCCESS" && this.#runs < maxRestart;
  }

  #end(): void {
    this.#cancelWait();
    this.#enter("ended");
    this.#dismissFollowers();
    if (this.#result !== undefined) this.#context.ended(this, this.#result);
  }

  #dismissFollowers(): void {
    const followers = [...this.#followers];
    this.#followers.clear();
    for (const follower of followers) follower(null);
  }

  #enter(phase: JobPhase): void {
    if (!NEXT[this.#phase].includes(phase)) {
      throw new AgentError("E_JOB_PHASE", `Cannot move a job from ${this.#phase} to ${phase}`);
    }
    this.#phase = phase;
  }
}

const SIGKILL = 9;
/** Code of a job that was dropped before it ran, that of a process that died by a signal. */
const DROPPED = 999;
const MS_PER_SECOND = 1000;
