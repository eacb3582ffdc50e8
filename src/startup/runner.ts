import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { JobResult, OwnJobs } from "../job/types.ts";
import type { Logger } from "../log/logger.ts";
import { parseCondition } from "./condition.ts";
import { fillArguments, type Values } from "./fill-arguments.ts";
import type { PlannedService } from "./plan.ts";
import { describeEnd, startService } from "./start-service.ts";
import { MILESTONES, type Milestone } from "./types.ts";

export interface RunnerOptions {
  readonly clock: Clock;
  readonly jobs: OwnJobs;
  readonly log: Logger;
  readonly values: Values;
  /** Whether the texts of this command go to a shell. */
  readonly isScript: (command: string) => boolean;
}

/** What the runner tells while it waits. */
export interface RunContext {
  readonly signal: AbortSignal;
  setReason(text: string): void;
}

type State = "waiting" | "starting" | "running" | "left out" | "failed";

interface Entry {
  readonly planned: PlannedService;
  state: State;
  /** Why it is in this state. */
  reason: string;
  readonly settled: PromiseWithResolvers<void>;
}

/** Starts services in the order they ask for. Each is started once in the life of the agent. */
export class StartupRunner {
  readonly #options: RunnerOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** All services so far, by id. */
  get planned(): ReadonlyMap<string, PlannedService> {
    return new Map([...this.#entries].map(([id, { planned }]) => [id, planned]));
  }

  /** Whether a service of this id has been looked at already. */
  hasBegun(id: string): boolean {
    const state = this.#entries.get(id)?.state ?? "waiting";
    return state !== "waiting";
  }

  add(services: readonly PlannedService[]): void {
    for (const planned of services) {
      const { id } = planned.service;
      this.#entries.set(id, {
        planned,
        state: "waiting",
        reason: "",
        settled: Promise.withResolvers(),
      });
    }
  }

  /** Whether there is a service whose turn comes at this milestone, or came before and was missed. */
  isDue(milestone: Milestone): boolean {
    return this.#due(milestone).length > 0;
  }

  /**
   * Starts what is due and waits until it is known of each service whether it runs.
   *
   * @returns One line about them.
   * @throws Error naming those that do not run; the others do.
   */
  async run(milestone: Milestone, { signal, setReason }: RunContext): Promise<string> {
    const due = this.#due(milestone);
    const tell = (): void => {
      const open = due.filter(({ state }) => state === "starting" || state === "waiting");
      if (open.length > 0) setReason(`waiting for ${open.map(nameWithReason).join(", ")}`);
    };
    for (const entry of due) this.#starting(entry);
    tell();
    await Promise.all(
      due.map(async (entry) => {
        await this.#start(entry, tell, signal);
        tell();
      }),
    );
    return summary(due);
  }

  #due(milestone: Milestone): Entry[] {
    const rank = MILESTONES.indexOf(milestone);
    return [...this.#entries.values()].filter(
      ({ planned, state }) => state === "waiting" && MILESTONES.indexOf(planned.milestone) <= rank,
    );
  }

  #starting(entry: Entry): void {
    entry.state = "starting";
    const { requires } = entry.planned;
    entry.reason = requires.length === 0 ? "" : `after ${requires.join(", ")}`;
  }

  async #start(entry: Entry, tell: () => void, signal: AbortSignal): Promise<void> {
    const { service, requires } = entry.planned;
    const { values, clock, jobs, log } = this.#options;
    if (!parseCondition(service.condition)((word) => values.has(word))) {
      this.#end(entry, "left out", `its condition ${service.condition} does not hold`);
      return;
    }
    const missing = await this.#firstMissing(requires);
    if (missing !== undefined) {
      const isOut = missing.state === "left out";
      const reason = `${missing.planned.service.id} before it ${isOut ? "is left out" : "does not run"}`;
      this.#end(entry, isOut ? "left out" : "failed", reason);
      return;
    }
    if (signal.aborted) {
      this.#end(entry, "failed", "the machine goes down");
      return;
    }
    entry.reason = "started";
    tell();
    try {
      const isScript = this.#options.isScript(service.command);
      const args = fillArguments(service.args, values, isScript);
      log.info("service is started", { service: service.id, command: service.command });
      const onEnd = (result: JobResult): void => this.#onEnd(entry, result);
      const { isRunning, reason } = await startService({ clock, jobs, service, args, onEnd });
      this.#end(entry, isRunning ? "running" : "failed", reason);
    } catch (error) {
      this.#end(entry, "failed", errorText(error));
    }
  }

  /** Waits for all of them. */
  async #firstMissing(ids: readonly string[]): Promise<Entry | undefined> {
    const entries = ids.flatMap((id) => this.#entries.get(id) ?? []);
    await Promise.all(entries.map(({ settled }) => settled.promise));
    return entries.find(({ state }) => state !== "running");
  }

  #onEnd({ planned, state }: Entry, result: JobResult): void {
    const fields = { service: planned.service.id, reason: describeEnd(result) };
    if (result.state === "SUCCESS") this.#options.log.info("service ended", fields);
    else if (state === "running") this.#options.log.warn("service ended", fields);
  }

  #end(entry: Entry, state: State, reason: string): void {
    entry.state = state;
    entry.reason = reason;
    const fields = { service: entry.planned.service.id, reason };
    if (state === "failed") this.#options.log.warn("service does not run", fields);
    else this.#options.log.info(`service is ${state}`, fields);
    entry.settled.resolve();
  }
}

function nameWithReason({ planned, reason }: Entry): string {
  return reason === "" ? planned.service.id : `${planned.service.id} (${reason})`;
}

function summary(due: readonly Entry[]): string {
  const running = due.filter(({ state }) => state === "running");
  const out = due.filter(({ state }) => state === "left out");
  const failed = due.filter(({ state }) => state === "failed");
  const parts = [
    ...failed.map((entry) => `${entry.planned.service.id} does not run: ${entry.reason}`),
    ...(running.length > 0 ? [`running: ${names(running)}`] : []),
    ...(out.length > 0 ? [`left out: ${names(out)}`] : []),
  ];
  if (failed.length > 0) throw new Error(parts.join("; "));
  return parts.join("; ");
}

const SHOWN_NAMES = 20;

function names(entries: readonly Entry[]): string {
  const shown = entries.slice(0, SHOWN_NAMES).map(({ planned }) => planned.service.id);
  const more = entries.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
