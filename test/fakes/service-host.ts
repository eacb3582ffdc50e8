import { AgentError } from "../../src/base/errors.ts";
import type {
  OutputFollower,
  OutputReader,
  ProcessName,
  ServiceHost,
  StartedProcess,
  StartRequest,
} from "../../src/service/host.ts";

/** Processes that exist only as numbers. Every start takes the next pid from 100 on. */
export class FakeServiceHost implements ServiceHost {
  readonly installed = new Set<string>();
  readonly requests: StartRequest[] = [];
  /** In order: `terminate 100`, `kill 100`, `kill cgroup`. */
  readonly signals: string[] = [];
  /** Start ticks of the processes that live. */
  readonly alive = new Map<number, number>();
  /** Processes that signal 15 does not end. */
  isStubborn = false;
  failure: string | undefined;
  reader: OutputReader | undefined;
  readonly #ends = new Map<number, (how: string) => void>();
  #nextPid = 100;

  find(program: string): string | undefined {
    return this.installed.has(program) ? `/bin/${program}` : undefined;
  }

  async start(request: StartRequest): Promise<StartedProcess> {
    this.requests.push(request);
    if (this.failure !== undefined) throw new AgentError("E_SERVICE_START", this.failure);
    const pid = this.#nextPid++;
    const ended = new Promise<string>((resolve) => this.#ends.set(pid, resolve));
    this.alive.set(pid, pid * 10);
    return { pid, startTicks: pid * 10, ended };
  }

  /** The process ends by itself. */
  end(pid: number, how = "exit code 1"): void {
    this.alive.delete(pid);
    this.#ends.get(pid)?.(how);
  }

  startTicks(pid: number): number | undefined {
    return this.alive.get(pid);
  }

  bootId(): string {
    return "boot-1";
  }

  terminate(pid: number): void {
    this.signals.push(`terminate ${pid}`);
    if (!this.isStubborn) this.end(pid, "signal SIGTERM");
  }

  killAll(process: ProcessName | undefined, cgroup: string | null): void {
    if (process === undefined) return;
    this.signals.push(`kill ${process.pid}${cgroup === null ? "" : ` ${cgroup}`}`);
    if (this.alive.get(process.pid) === process.startTicks) this.end(process.pid, "signal SIGKILL");
  }

  follow(_file: string, reader: OutputReader): OutputFollower {
    this.reader = reader;
    return { look: () => {}, stop: () => {} };
  }

  env(name: string): string | undefined {
    return { PATH: "/usr/sbin:/bin", SECRET_OF_THE_AGENT: "x" }[name];
  }
}
