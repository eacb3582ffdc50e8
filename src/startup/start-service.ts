import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { ownCommand } from "../job/own-command.ts";
import { RespawnDelay } from "../job/respawn-delay.ts";
import type { JobMessage, JobResult, OwnJobs } from "../job/types.ts";
import { RunningMatch } from "./running-match.ts";
import type { StartupService } from "./types.ts";

export interface ServiceStart {
  readonly clock: Clock;
  readonly jobs: OwnJobs;
  readonly service: StartupService;
  /** Complete: nothing is left to put in. */
  readonly args: Readonly<Record<string, unknown>>;
  /** A run ended, at any time. */
  readonly onEnd: (result: JobResult) => void;
}

/** Whether a service is running, and what was seen of that. */
export interface ServiceOutcome {
  readonly isRunning: boolean;
  readonly reason: string;
}

/** Starts the job of a service. Resolves when it is known whether the service is running; never rejects. */
export function startService(start: ServiceStart): Promise<ServiceOutcome> {
  return new ServiceWatch(start).outcome;
}

const MS_PER_SECOND = 1000;
/** Between a run that failed and the next one (wire protocol 6.4). */
const RESTART_DELAY_MS = 1000;
const EXIT_CODE_BASE = 1000;
const SIGNALLED = 999;

/** Decides from the life of a job whether its service runs. */
class ServiceWatch {
  readonly outcome: Promise<ServiceOutcome>;
  readonly #start: ServiceStart;
  readonly #respawn = new RespawnDelay();
  readonly #settle: (outcome: ServiceOutcome) => void;
  #match: RunningMatch | null;
  #isSettled = false;
  #runs = 0;
  #startedMs: number;
  #lastEnd = "";
  #cancelDelay: () => void = () => {};
  #cancelLimit: () => void = () => {};

  constructor(start: ServiceStart) {
    const { clock, service } = start;
    const { promise, resolve } = Promise.withResolvers<ServiceOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#start = start;
    this.#match = service.runningMatch === null ? null : new RunningMatch(service.runningMatch);
    this.#startedMs = clock.monotonicMs();
    this.#cancelLimit = clock.after(service.runningLimit * MS_PER_SECOND, () => {
      this.#end(false, `${this.#missing()} within ${service.runningLimit} s${this.#lastEnd}`);
    });
    this.#expectRun(0);
    this.#begin();
  }

  #begin(): void {
    const { jobs, service, args } = this.#start;
    const { id, maxRestart, recurringPeriod, tags } = service;
    const more = { arguments: args, maxRestart, recurringPeriod, tags };
    const command = ownCommand(id, service.command, more);
    try {
      jobs.start(command, {
        isProtected: service.isProtected,
        onMessage: (message) => this.#onMessage(message),
        onRunEnd: (result) => this.#onRunEnd(result),
      });
    } catch (error) {
      this.#end(false, errorText(error));
    }
  }

  /** The delay counts from the start of a run. */
  #expectRun(inMs: number): void {
    const { clock, service } = this.#start;
    this.#startedMs = clock.monotonicMs() + inMs;
    if (this.#match !== null || service.runningDelay < 0) return;
    const delayMs = inMs + service.runningDelay * MS_PER_SECOND;
    this.#cancelDelay = clock.after(delayMs, () => {
      this.#end(true, `it has run for ${service.runningDelay} s`);
    });
  }

  #onMessage({ level, text }: JobMessage): void {
    if (this.#isSettled || this.#match === null) return;
    this.#tryMatch((match) => match.push(level, text));
  }

  #onRunEnd(result: JobResult): void {
    const { service, clock, onEnd } = this.#start;
    onEnd(result);
    if (this.#isSettled) return;
    this.#runs += 1;
    this.#cancelDelay();
    this.#tryMatch((match) => match.end());
    const ended = describeEnd(result);
    this.#lastEnd = `, last run: ${ended}`;
    if (result.state === "SUCCESS") this.#end(true, ended);
    else if (service.isProtected) {
      this.#expectRun(this.#respawn.next(clock.monotonicMs() - this.#startedMs));
    } else if (service.recurringPeriod === 0 && this.#runs < service.maxRestart) {
      this.#expectRun(RESTART_DELAY_MS);
    } else this.#end(false, ended);
  }

  #tryMatch(look: (match: RunningMatch) => boolean): void {
    if (this.#match === null) return;
    try {
      if (look(this.#match)) this.#end(true, "its output says so");
    } catch (error) {
      this.#end(false, errorText(error));
    }
  }

  #missing(): string {
    const { runningDelay } = this.#start.service;
    if (this.#match !== null) return "no output that matches running_match";
    return runningDelay < 0 ? "it has not ended" : `no run of ${runningDelay} s`;
  }

  #end(isRunning: boolean, reason: string): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#match = null;
    this.#cancelDelay();
    this.#cancelLimit();
    this.#settle({ isRunning, reason });
  }
}

/** How a run ended, in words. What a program printed is not told: it may be secret. */
export function describeEnd({ state, code, critical, data }: JobResult): string {
  if (state === "SUCCESS") return "ended well";
  if (state === "TIMEOUT") return "stopped by its time limit";
  if (code === SIGNALLED) return "ended by a signal";
  if (code > EXIT_CODE_BASE) return `exit status ${code - EXIT_CODE_BASE}`;
  const why = critical || data || `code ${code}`;
  return (
    why
      .replace(/^"(.*)"$/s, "$1")
      .split("\n")[0]
      ?.slice(0, MAX_REASON) ?? ""
  );
}

const MAX_REASON = 200;
