import { CommandError } from "../../../src/command/command.ts";
import { JobEngine } from "../../../src/job/engine.ts";
import { type Journal, NO_JOURNAL } from "../../../src/job/journal.ts";
import { MessageHub } from "../../../src/job/message-hub.ts";
import type { Executable, JobMessage } from "../../../src/job/types.ts";
import type { Logger } from "../../../src/log/logger.ts";
import type { CgroupLimits, Cgroups } from "../../../src/sys/cgroup.ts";
import type { GroupUsage, ProcessTree } from "../../../src/sys/process-tree.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { RecordingSink } from "../../fakes/job-sink.ts";
import { FakeSpawner } from "../../fakes/spawner.ts";

export const silentLog: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

export class FakeProcessTree implements ProcessTree {
  readonly killed: number[] = [];
  boot = "boot-1";
  /** CPU time of every group. */
  cpuMs = 0;

  startTicks(pid: number): number {
    return pid * 10;
  }

  usage(groups: readonly number[]): Map<number, GroupUsage> {
    return new Map(groups.map((group) => [group, this.#usage(group)]));
  }

  usageOf(pids: readonly number[]): GroupUsage {
    return this.#usage(pids.length);
  }

  #usage(rss: number): GroupUsage {
    return { cpu: 1.5, rss, vms: 2, swap: 3, cpuMs: this.cpuMs };
  }

  killGroup(group: number): boolean {
    this.killed.push(group);
    return true;
  }

  bootId(): string {
    return this.boot;
  }
}

interface Program {
  readonly name: string;
  readonly args?: string[];
}

/** Commands by name; `promise` settles when a test says so. */
export class TestCommands {
  readonly promise = Promise.withResolvers<unknown>();

  readonly resolve = (name: string): Executable | undefined => this.#table[name];

  readonly #table: Readonly<Record<string, Executable>> = {
    "core.system": {
      kind: "process",
      build: (args) => ({ ...program(args as Program), showPid: true }),
    },
    extension: {
      kind: "process",
      build: (args) => ({ ...program(args as Program), showPid: false }),
    },
    value: builtin((args) => args),
    nothing: builtin(() => undefined),
    fail: builtin(() => {
      throw new Error("bad <thing>");
    }),
    classified: builtin(() => {
      throw new CommandError(404, "no such\nthing");
    }),
    circular: builtin(() => {
      const loop: Record<string, unknown> = {};
      loop["self"] = loop;
      return loop;
    }),
    slow: builtin(() => this.promise.promise),
    "until-stop": builtin(
      (_args, job) =>
        new Promise((resolve) => {
          job.signal.addEventListener("abort", () => resolve("stopped"));
        }),
    ),
    talk: builtin((_args, job) => {
      job.emit(1, "out\n");
      job.emit(9, "critical");
      return 1;
    }),
    quiet: {
      kind: "builtin",
      level: 0,
      run: (_args, job) => {
        job.emit(1, "notice\n");
      },
    },
  };
}

function program({ name, args = [] }: Program) {
  return { name, args, dir: "", env: {}, stdin: "" };
}

function builtin(run: Extract<Executable, { kind: "builtin" }>["run"]): Executable {
  return { kind: "builtin", level: 20, run };
}

/** An engine with fakes all around. */
export function setUp(
  options: { journal?: Journal; maxJobs?: number; cgroups?: Cgroups; limits?: CgroupLimits } = {},
) {
  const clock = new FakeClock();
  const sink = new RecordingSink();
  const spawner = new FakeSpawner();
  const processes = new FakeProcessTree();
  const commands = new TestCommands();
  const heard: JobMessage[] = [];
  const hub = new MessageHub((error) => {
    throw error;
  });
  hub.listen({ message: (message) => heard.push(message) });
  const engine = new JobEngine({
    resolve: commands.resolve,
    sink,
    clock,
    spawn: spawner,
    processes,
    journal: NO_JOURNAL,
    log: silentLog,
    hub,
    ...options,
  });
  const submit = (command: Record<string, unknown>): void => {
    engine.submit(JSON.stringify({ id: "a", arguments: {}, ...command }));
  };
  /** Submits `core.system` under an id and returns its process, started with pid 100 + its number. */
  const startProgram = (command: Record<string, unknown> = {}) => {
    submit({ command: "core.system", arguments: { name: "sleep" }, ...command });
    spawner.last.start(100 + spawner.processes.length);
    return spawner.last;
  };
  return { heard, clock, sink, spawner, processes, commands, engine, submit, startProgram };
}
