import { resolve } from "node:path";
import { errorText } from "../base/errors.ts";
import { CommandError, type ProcessSpec } from "../command/command.ts";
import type { Cgroup } from "../sys/cgroup.ts";
import type { ExitStatus, SpawnedProcess, Spawner, SpawnRequest } from "../sys/spawn.ts";
import { LEVEL } from "./capture.ts";
import { MessageParser } from "./message-parser.ts";
import { endMessage, IDLE_RUN, type Run, type RunEvents, type RunOutcome } from "./run.ts";
import type { CommandObject, Executable } from "./types.ts";

type Program = Extract<Executable, { kind: "process" }>;

/** Runs one program (wire protocol 6.1). */
export function startProcess(
  program: Program,
  options: {
    command: CommandObject;
    spawn: Spawner;
    /** @throws CommandError when the limits of the job cannot be enforced. */
    openCgroup: () => Cgroup | undefined;
    /** What the program leaves in the background ends with it, however it ends. */
    endsWhole: boolean;
    events: RunEvents;
  },
): Run {
  const { command, spawn, events } = options;
  let spec: ProcessSpec;
  try {
    spec = buildSpec(program, command);
  } catch (error) {
    const panic = `PANIC(${errorText(error)})`;
    return refuse(events, { state: "ERROR", code: 0, hasStreams: false, panic });
  }
  const request = { ...spec, dir: resolve(ROOT, spec.dir) };
  if (hasNul(request)) {
    return refuse(events, notStarted(0, `Cannot run ${spec.name}: NUL in an argument`));
  }
  const path = spawn.find(request.name, request.dir);
  if (path === undefined) {
    const reason = `Cannot find program "${spec.name}": no executable file in the search path`;
    return refuse(events, notStarted(NOT_FOUND, reason));
  }
  let cgroup: Cgroup | undefined;
  try {
    cgroup = options.openCgroup();
  } catch (error) {
    const code = error instanceof CommandError ? error.code : 0;
    return refuse(events, notStarted(code, errorText(error)));
  }
  const { args, dir, env, stdin, showPid } = request;
  const run = new ProcessRun(events, { showPid, cgroup, endsWhole: options.endsWhole });
  const inside = cgroup === undefined ? {} : { cgroup: cgroup.path };
  run.start(spawn, { path, argv: [spec.name, ...args], dir, env, stdin, ...inside });
  return run;
}

const ROOT = "/";
const NOT_FOUND = 404;
/** Code of a process that died by a signal (wire protocol 5.2). */
const SIGNALLED = 999;
/** Added to the exit status of a process that failed. */
const EXIT_CODE_BASE = 1000;
const SIGKILL = 9;
/** INT, QUIT, ABRT, KILL, TERM. Others, like HUP, are often used to tell a program something. */
const ENDING_SIGNALS: ReadonlySet<number> = new Set([2, 3, 6, SIGKILL, 15]);

function buildSpec(program: Program, command: CommandObject): ProcessSpec {
  // Missing arguments are not the same as {}: clients know this outcome (wire protocol 4.3).
  if (command.arguments === undefined) throw new Error("missing arguments");
  return program.build(command.arguments);
}

function refuse(events: RunEvents, outcome: RunOutcome): Run {
  end(events, outcome);
  return IDLE_RUN;
}

function end(events: RunEvents, outcome: RunOutcome): void {
  const { level, text, flags } = endMessage(outcome.state === "SUCCESS");
  events.emit(level, text, flags);
  events.ended(outcome);
}

function notStarted(code: number, reason: string): RunOutcome {
  return { state: "ERROR", code, hasStreams: false, reason };
}

/** The kernel ends every argument at its first NUL: what runs would not be what was asked for. */
function hasNul(spec: ProcessSpec): boolean {
  const texts = [spec.name, spec.dir, ...spec.args, ...Object.entries(spec.env).flat()];
  return texts.some((text) => text.includes("\0"));
}

class ProcessRun implements Run {
  readonly cgroup: Cgroup | undefined;
  readonly #events: RunEvents;
  readonly #showPid: boolean;
  readonly #parsers: Record<1 | 2, MessageParser>;
  #process: SpawnedProcess | undefined;
  #pid = -1;
  #isKilled = false;
  #endsWhole: boolean;

  constructor(
    events: RunEvents,
    {
      showPid,
      cgroup,
      endsWhole,
    }: { showPid: boolean; cgroup: Cgroup | undefined; endsWhole: boolean },
  ) {
    this.#endsWhole = endsWhole;
    this.cgroup = cgroup;
    this.#events = events;
    this.#showPid = showPid;
    const emit = (level: number, text: string) => events.emit(level, text, 0);
    this.#parsers = { 1: new MessageParser(1, emit), 2: new MessageParser(2, emit) };
  }

  get pid(): number {
    return this.#showPid ? this.#pid : 0;
  }

  start(spawn: Spawner, request: SpawnRequest): void {
    this.#process = spawn.spawn(request, {
      started: (pid) => {
        this.#pid = pid;
        if (this.#isKilled) this.cgroup?.kill();
        this.#events.started(pid);
      },
      output: (stream, chunk, isFull) => this.#parsers[stream].push(chunk, isFull),
      ended: (exit) => this.#ended(exit),
      failed: (error) => {
        this.cgroup?.remove();
        end(this.#events, notStarted(0, error.message));
      },
    });
  }

  /** A signal goes to the process group; 9 takes what left the group as well. */
  kill(signal: number): void {
    this.#process?.kill(signal);
    // Whoever ends a job means all of it; the program still has the time it takes.
    this.#endsWhole ||= ENDING_SIGNALS.has(signal);
    if (signal !== SIGKILL) return;
    this.#isKilled = true;
    this.cgroup?.kill();
  }

  #ended(exit: ExitStatus): void {
    this.#parsers[1].end();
    this.#parsers[2].end();
    if (exit.code !== 0 && this.cgroup?.ranOutOfMemory() === true) {
      this.#events.emit(LEVEL.critical, "the job reached its memory limit\n", 0);
    }
    // A job that ends by itself may leave a daemon, or the process of a file system it mounted.
    if (this.#endsWhole) this.cgroup?.remove();
    else this.cgroup?.release();
    const state = exit.code === 0 ? "SUCCESS" : "ERROR";
    end(this.#events, { state, code: resultCode(exit), hasStreams: true });
  }
}

function resultCode({ code }: ExitStatus): number {
  if (code === 0) return 0;
  return code === null ? SIGNALLED : EXIT_CODE_BASE + code;
}
