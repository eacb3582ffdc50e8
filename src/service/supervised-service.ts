import { type Backoff, backoffDelayMs, DEFAULT_BACKOFF } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { orAborted, sleep } from "../sequencer/wait.ts";
import type { Files } from "../sys/files.ts";
import type { OutputFollower, ProcessName, ServiceHost } from "./host.ts";
import { OutputLines } from "./output-lines.ts";
import { formatServiceRecord, parseServiceRecord } from "./service-record.ts";
import type { ServiceSpec, ServiceState, ServiceStatus } from "./types.ts";

export interface SupervisorParts {
  readonly host: ServiceHost;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  /** Directory with one cgroup for each service; null: no cgroups. For example `/sys/fs/cgroup/services`. */
  readonly cgroups: string | null;
  /** Default `/run/node0/services`. */
  readonly directory?: string;
  /** Default {@link DEFAULT_BACKOFF}. */
  readonly backoff?: Backoff;
  /** A number in [0, 1) for each delay. Default `Math.random`. */
  readonly random?: () => number;
}

export const SERVICES_DIRECTORY = "/run/node0/services";

/** After this time a daemon counts as healthy: its next end is the first one again. */
const HEALTHY_MS = 60_000;
/** Between two looks for a program that is not installed. */
const MISSING_LOOK_MS = 2000;
/** Between two looks at a daemon that is no child of this agent: the kernel tells only parents. */
const ADOPTED_LOOK_MS = 1000;
const STOP_LOOK_MS = 50;
const STOP_LIMIT_MS = 10_000;

interface Daemon extends ProcessName {
  readonly ended: Promise<string>;
  readonly startedMs: number;
  readonly isAdopted: boolean;
}

/**
 * Keeps one daemon running. The daemon does not belong to the agent: it goes on when the agent dies, and
 * the next agent finds it by its record of pid and start time.
 */
export class SupervisedService {
  readonly #spec: ServiceSpec;
  readonly #parts: SupervisorParts;
  readonly #directory: string;
  readonly #cgroup: string | null;
  readonly #listeners = new Set<(status: ServiceStatus) => void>();
  readonly #lines: OutputLines;
  #follower: OutputFollower | undefined;
  #status: ServiceStatus;
  #daemon: Daemon | undefined;
  #control: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();
  #starts = 0;
  #failures = 0;

  constructor(spec: ServiceSpec, parts: SupervisorParts) {
    this.#spec = spec;
    this.#parts = parts;
    this.#directory = parts.directory ?? SERVICES_DIRECTORY;
    this.#cgroup = parts.cgroups === null ? null : `${parts.cgroups}/${spec.name}`;
    const { clock, log } = parts;
    const service = spec.name;
    this.#lines = new OutputLines({
      clock,
      onLine: (line) => log.info("service output", { service, line }),
      onDropped: (lines) => log.warn("service output left out", { service, lines }),
    });
    this.#status = {
      name: spec.name,
      state: "stopped",
      reason: "not started",
      pid: null,
      isAdopted: false,
      restarts: 0,
      sinceMs: clock.monotonicMs(),
    };
  }

  status(): ServiceStatus {
    return this.#status;
  }

  /** Called after every change of the status. The returned function ends it. */
  onChange(listener: (status: ServiceStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on the daemon shall run. Takes over one that runs already; may be repeated. */
  start(): void {
    if (this.#control !== undefined) return;
    const control = new AbortController();
    this.#control = control;
    this.#loop = this.#loop
      .then(() => this.#supervise(control.signal))
      .catch((error: unknown) => {
        if (control.signal.aborted) return;
        this.#control = undefined;
        this.#set("stopped", `supervision failed: ${errorText(error)}`);
      });
  }

  /** Ends the daemon and what it leaves behind: signal 15, after the limit signal 9. */
  async stop(): Promise<void> {
    this.#control?.abort(new Error("service is stopped"));
    this.#control = undefined;
    await this.#loop;
    const daemon = this.#daemon ?? this.#findRunning();
    if (daemon !== undefined) {
      this.#set("stopping", `waiting for the end of process ${daemon.pid}`, daemon);
      await this.#terminate(daemon);
      this.#killAll(daemon);
    }
    this.#forget();
    this.#set("stopped", "stopped on request");
  }

  /** Ends the daemon; it is started again like one that ended by itself. */
  async restart(reason: string): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    this.#parts.log.warn("service is restarted", { service: this.#spec.name, reason });
    if (!(await this.#terminate(daemon))) this.#killAll(daemon);
  }

  /** The agent ends; the daemon goes on. */
  release(): void {
    this.#control?.abort(new Error("the agent ends"));
    this.#control = undefined;
    this.#follower?.stop();
    this.#follower = undefined;
  }

  async #supervise(signal: AbortSignal): Promise<void> {
    this.#daemon = this.#findRunning();
    if (this.#daemon !== undefined) this.#follow();
    while (!signal.aborted) {
      this.#daemon ??= await this.#launch(signal);
      if (this.#daemon === undefined) continue;
      const { pid, isAdopted } = this.#daemon;
      const how = isAdopted ? "taken over from the agent before" : "started";
      this.#set("running", `process ${pid}, ${how}`, this.#daemon);
      const ending = await orAborted(this.#daemon.ended, signal);
      await this.#afterEnd(this.#daemon, ending, signal);
    }
  }

  /** A daemon of an earlier agent. */
  #findRunning(): Daemon | undefined {
    const { files, host, clock } = this.#parts;
    const record = parseServiceRecord(files.readText(this.#recordFile) ?? "");
    if (record === undefined || record.bootId !== host.bootId()) return undefined;
    if (host.startTicks(record.pid) !== record.startTicks) return undefined;
    const ended = this.#gone(record, ADOPTED_LOOK_MS).then(() => "exit status not known");
    return { ...record, ended, startedMs: clock.monotonicMs(), isAdopted: true };
  }

  /** Undefined when it could not be started: why was shown, and the delay is over. */
  async #launch(signal: AbortSignal): Promise<Daemon | undefined> {
    const { programs } = this.#spec;
    const path = programs.map((name) => this.#parts.host.find(name)).find((file) => file);
    if (path === undefined) {
      await this.#wait(this.#missingText(), MISSING_LOOK_MS, signal);
      return undefined;
    }
    if (this.#status.state !== "waiting") this.#set("starting", `starting ${path}`);
    try {
      return await this.#startProcess(path);
    } catch (error) {
      await this.#backOff(errorText(error), signal);
      return undefined;
    }
  }

  async #startProcess(path: string): Promise<Daemon> {
    const { host, files, clock } = this.#parts;
    const { args, dir = "/", prepare } = this.#spec;
    files.ensureDirectory(this.#directory, 0o700);
    await prepare?.();
    const cgroup = this.#ensureCgroup();
    // An agent that died between start and record left a daemon nobody knows.
    if (this.#spec.killsLeftovers !== false) host.killAll(undefined, cgroup);
    this.#follow();
    const outputFile = this.#outputFile;
    const env = this.#environment();
    const started = await host.start({ path, args, env, dir, outputFile, cgroup });
    this.#starts += 1;
    this.#remember(started);
    return { ...started, startedMs: clock.monotonicMs(), isAdopted: false };
  }

  async #afterEnd(daemon: Daemon, how: string, signal: AbortSignal): Promise<void> {
    const { host, clock, log } = this.#parts;
    this.#follower?.look();
    this.#lines.flush();
    if (this.#spec.killsLeftovers !== false) host.killAll(daemon, this.#cgroup);
    this.#forget();
    const ranMs = clock.monotonicMs() - daemon.startedMs;
    if (ranMs >= HEALTHY_MS) this.#failures = 0;
    const last = this.#lines.last === "" ? "" : ` (${this.#lines.last})`;
    const text = `ended after ${Math.round(ranMs / 1000)} s: ${how}${last}`;
    log.warn("service ended", { service: this.#spec.name, pid: daemon.pid, how, ranMs });
    await this.#backOff(text, signal);
  }

  async #backOff(why: string, signal: AbortSignal): Promise<void> {
    const { backoff = DEFAULT_BACKOFF, random = Math.random } = this.#parts;
    this.#failures += 1;
    const delayMs = backoffDelayMs(backoff, this.#failures, random());
    await this.#wait(`${why}; next start in ${(delayMs / 1000).toFixed(1)} s`, delayMs, signal);
  }

  async #wait(reason: string, delayMs: number, signal: AbortSignal): Promise<void> {
    this.#set("waiting", reason);
    await sleep(this.#parts.clock, delayMs, signal);
  }

  /** What lives on by right is in the cgroup as well. */
  #killAll(daemon: Daemon): void {
    const cgroup = this.#spec.killsLeftovers === false ? null : this.#cgroup;
    this.#parts.host.killAll(daemon, cgroup);
  }

  /** @returns False when it is still there after the limit. */
  async #terminate(daemon: Daemon): Promise<boolean> {
    const { host } = this.#parts;
    host.terminate(daemon.pid);
    await this.#gone(daemon, STOP_LOOK_MS, this.#spec.stopLimitMs ?? STOP_LIMIT_MS);
    return host.startTicks(daemon.pid) !== daemon.startTicks;
  }

  /** Resolves when the process is gone, or after the limit. */
  #gone(process: ProcessName, lookMs: number, limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { host, clock } = this.#parts;
    const endMs = clock.monotonicMs() + limitMs;
    return new Promise((resolve) => {
      const look = (): void => {
        const isGone = host.startTicks(process.pid) !== process.startTicks;
        if (isGone || clock.monotonicMs() >= endMs) resolve();
        else clock.after(lookMs, look);
      };
      look();
    });
  }

  #ensureCgroup(): string | null {
    if (this.#cgroup === null) return null;
    try {
      this.#parts.files.ensureDirectory(this.#cgroup, 0o755);
      return this.#cgroup;
    } catch (error) {
      const fields = { service: this.#spec.name, cause: errorText(error) };
      this.#parts.log.warn("service runs without a cgroup", fields);
      return null;
    }
  }

  #environment(): Record<string, string> {
    const { passEnv = ["PATH"], env = {} } = this.#spec;
    const passed = passEnv.flatMap((name) => {
      const value = this.#parts.host.env(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    return { ...Object.fromEntries(passed), ...env };
  }

  #missingText(): string {
    const { programs } = this.#spec;
    const folders = (this.#parts.host.env("PATH") ?? "").split(":");
    const places = programs.flatMap((program) =>
      program.includes("/") ? [program] : folders.map((folder) => `${folder}/${program}`),
    );
    const looked = [...new Set(places)].join(", ");
    return `${this.#spec.name} is not installed: looked for ${looked}`;
  }

  #follow(): void {
    this.#follower?.stop();
    this.#follower = this.#parts.host.follow(this.#outputFile, this.#lines);
  }

  /** A daemon without a record still runs; only the next agent would not find it. */
  #remember(process: ProcessName): void {
    const { files, host, log } = this.#parts;
    try {
      const record = { ...process, bootId: host.bootId() };
      files.replaceText(this.#recordFile, formatServiceRecord(record));
    } catch (error) {
      log.error("service record not written", { file: this.#recordFile, cause: errorText(error) });
    }
  }

  #forget(): void {
    this.#daemon = undefined;
    this.#parts.files.remove(this.#recordFile);
  }

  #set(state: ServiceState, reason: string, daemon?: Daemon): void {
    const { name } = this.#spec;
    const { clock, log } = this.#parts;
    const before = this.#status;
    if (before.state === state && before.reason === reason) return;
    this.#status = {
      name,
      state,
      reason,
      pid: daemon?.pid ?? null,
      isAdopted: daemon?.isAdopted ?? false,
      restarts: Math.max(0, this.#starts - 1),
      sinceMs: clock.monotonicMs(),
    };
    log.info("service changed", { service: name, state, reason });
    for (const listener of [...this.#listeners]) listener(this.#status);
  }

  get #recordFile(): string {
    return `${this.#directory}/${this.#spec.name}.json`;
  }

  get #outputFile(): string {
    return `${this.#directory}/${this.#spec.name}.log`;
  }
}
