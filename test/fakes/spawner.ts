import type { AgentError } from "../../src/base/errors.ts";
import type {
  ExitStatus,
  SpawnEvents,
  SpawnedProcess,
  Spawner,
  SpawnRequest,
} from "../../src/sys/spawn.ts";

/** A program that runs exactly as a test tells it to. */
export class FakeProcess implements SpawnedProcess {
  readonly request: SpawnRequest;
  readonly signals: number[] = [];
  readonly #events: SpawnEvents;
  readonly #onSignal: (signal: number) => void;

  constructor(
    request: SpawnRequest,
    events: SpawnEvents,
    onSignal: (process: FakeProcess, signal: number) => void,
  ) {
    this.request = request;
    this.#events = events;
    this.#onSignal = (signal) => onSignal(this, signal);
  }

  kill(signal: number): void {
    this.signals.push(signal);
    this.#onSignal(signal);
  }

  start(pid: number): void {
    this.#events.started(pid);
  }

  write(stream: 1 | 2, text: string): void {
    this.#events.output(stream, new TextEncoder().encode(text), false);
  }

  end(exit: Partial<ExitStatus>): void {
    this.#events.ended({ code: null, signal: null, ...exit });
  }

  fail(error: AgentError): void {
    this.#events.failed(error);
  }
}

/** Starts nothing; every name but `missing` is a program. Processes die at once of any signal. */
export class FakeSpawner implements Spawner {
  readonly processes: FakeProcess[] = [];

  spawn(request: SpawnRequest, events: SpawnEvents): SpawnedProcess {
    const process = new FakeProcess(request, events, (target, signal) =>
      queueMicrotask(() => target.end({ signal })),
    );
    this.processes.push(process);
    return process;
  }

  find(name: string): string | undefined {
    return name === "missing" || name === "" ? undefined : `/bin/${name}`;
  }

  get last(): FakeProcess {
    const process = this.processes.at(-1);
    if (process === undefined) throw new Error("nothing was spawned");
    return process;
  }
}
