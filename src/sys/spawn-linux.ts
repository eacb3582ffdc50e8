import { closeSync, existsSync, constants as files, openSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { AgentError } from "../base/errors.ts";
import {
  ACTIONS_BYTES,
  ATTRIBUTES_BYTES,
  cleanSpawnAttributes,
  type Libc,
  loadLibc,
  POSIX_SPAWN_SETCGROUP,
  POSIX_SPAWN_SETPGROUP,
} from "./libc.ts";
import {
  CHUNK_BYTES,
  type ExitStatus,
  KILL_GRACE_MS,
  type SpawnEvents,
  type SpawnedProcess,
  type Spawner,
  type SpawnRequest,
} from "./spawn.ts";
import { findProgram } from "./spawn-path.ts";
import { Reaper } from "./spawn-reaper.ts";

/**
 * Runs programs with posix_spawn: the parent's page tables are not copied (CLONE_VFORK), which a
 * fork of a Node.js process pays for at every start. Numbers: `docs/jobs.md`.
 */
export class LinuxSpawner implements Spawner {
  readonly #env: Readonly<Record<string, string>>;
  readonly #baseEnv: readonly string[];
  readonly #queue: Child[] = [];
  #starting = 0;
  #isWaitingForDescriptors = false;
  #native: Native | undefined;
  #opening: Promise<void> | undefined;

  /** @param env Environment of every program; its `PATH` finds them. */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
    this.#baseEnv = formatEnv(env);
  }

  find(name: string, dir: string): string | undefined {
    return findProgram(name, dir, this.#env["PATH"] ?? DEFAULT_PATH);
  }

  spawn(request: SpawnRequest, events: SpawnEvents): SpawnedProcess {
    const child = new Child(request, events);
    this.#queue.push(child);
    if (this.#native === undefined) this.#open();
    else this.#pump(this.#native);
    return child;
  }

  /** Stops listening for exits; processes that still run are left alone. */
  stop(): void {
    this.#native?.reaper.stop();
  }

  #open(): void {
    this.#opening ??= openNative().then(
      (native) => {
        this.#native = native;
        native.reaper.start();
        this.#pump(native);
      },
      (error: unknown) => {
        this.#opening = undefined;
        const failure = new AgentError("E_SPAWN", "Cannot load the C library", { cause: error });
        for (const child of this.#queue.splice(0)) child.events.failed(failure);
      },
    );
  }

  /**
   * Starts what is queued, at most MAX_STARTING at a time: each holds a pool thread until its child
   * has called exec, and the pool has other users.
   */
  #pump(native: Native): void {
    while (this.#starting < MAX_STARTING && !this.#isWaitingForDescriptors) {
      const child = this.#queue.shift();
      if (child === undefined) return;
      this.#starting += 1;
      this.#start(native, child);
    }
  }

  #start(native: Native, child: Child): void {
    const pipes = openPipes(native, child.request.stdin === "" ? 2 : 3);
    if (pipes === undefined) {
      this.#starting -= 1;
      this.#postpone(native, child);
      return;
    }
    let cgroup: number | undefined;
    try {
      cgroup = openCgroup(native, child.request);
    } catch (error) {
      this.#starting -= 1;
      closeAll(native, pipes);
      child.events.failed(error as AgentError);
      return;
    }
    const slot = native.slots.pop() ?? new Slot();
    slot.prepare(native.libc, pipes, child.request.dir);
    if (cgroup !== undefined) slot.enterCgroup(native, cgroup);
    const { path, argv, env } = child.request;
    const extra = Object.keys(env);
    const call = {
      pid: slot.pid,
      actions: slot.actions,
      attributes: cgroup === undefined ? native.attributes : slot.attributes,
      path,
      argv,
      env: extra.length === 0 ? this.#baseEnv : formatEnv({ ...this.#env, ...env }),
    };
    native.libc.posixSpawn(call, (errno) => {
      this.#starting -= 1;
      const pid = slot.pid[0] ?? 0;
      slot.release(native.libc);
      native.slots.push(slot);
      if (cgroup !== undefined) closeSync(cgroup);
      for (const pipe of pipes) native.libc.close(pipe.theirs);
      if (errno === 0) {
        child.started(native.reaper, pid, pipes, () => this.#descriptorsFreed(native));
      } else {
        for (const pipe of pipes) native.libc.close(pipe.ours);
        child.events.failed(startError(child.request, errno));
      }
      this.#pump(native);
    });
  }

  /** Out of descriptors: the start waits until a running process gives some back. */
  #postpone(native: Native, child: Child): void {
    this.#queue.unshift(child);
    this.#isWaitingForDescriptors = true;
    setTimeout(() => this.#descriptorsFreed(native), DESCRIPTOR_RETRY_MS);
  }

  #descriptorsFreed(native: Native): void {
    if (!this.#isWaitingForDescriptors) return;
    this.#isWaitingForDescriptors = false;
    this.#pump(native);
  }
}

const MAX_STARTING = 2;
const DESCRIPTOR_RETRY_MS = 100;
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const O_CLOEXEC = 0o2000000;
const FIRST_UNUSED_DESCRIPTOR = 3;

/** One pipe to or from a child; `target` is the child's descriptor. */
interface Pipe {
  readonly ours: number;
  readonly theirs: number;
  readonly target: 0 | 1 | 2;
}

interface Native {
  readonly libc: Libc;
  readonly reaper: Reaper;
  readonly attributes: Uint8Array;
  /** For children that start in a cgroup, which each call fills in. */
  readonly cgroupAttributes: Uint8Array;
  readonly slots: Slot[];
}

async function openNative(): Promise<Native> {
  const libc = await loadLibc();
  const prepare = (flags: number): Uint8Array => {
    const attributes = cleanSpawnAttributes(libc, POSIX_SPAWN_SETPGROUP | flags);
    libc.spawnAttrSetProcessGroup(attributes, 0);
    return attributes;
  };
  return {
    libc,
    reaper: new Reaper(libc),
    attributes: prepare(0),
    cgroupAttributes: prepare(POSIX_SPAWN_SETCGROUP),
    slots: [],
  };
}

/** Memory of one call that runs on a pool thread. */
class Slot {
  readonly pid = new Int32Array(1);
  readonly actions = new Uint8Array(ACTIONS_BYTES);
  /** Of a child that starts in a cgroup. */
  readonly attributes = new Uint8Array(ATTRIBUTES_BYTES);

  prepare(libc: Libc, pipes: readonly Pipe[], dir: string): void {
    libc.spawnActionsInit(this.actions);
    if (pipes.every((pipe) => pipe.target !== 0)) {
      libc.spawnActionsOpen(this.actions, 0, "/dev/null", 0, 0);
    }
    for (const pipe of pipes) libc.spawnActionsDup2(this.actions, pipe.theirs, pipe.target);
    libc.spawnActionsChdir(this.actions, dir);
    libc.spawnActionsCloseFrom(this.actions, FIRST_UNUSED_DESCRIPTOR);
  }

  enterCgroup({ libc, cgroupAttributes }: Native, directory: number): void {
    // Plain memory without pointers, so a copy is as good as what was initialised.
    this.attributes.set(cgroupAttributes);
    libc.spawnAttrSetCgroup?.(this.attributes, directory);
  }

  release(libc: Libc): void {
    libc.spawnActionsDestroy(this.actions);
  }
}

/** Undefined when the process or the system has no descriptors left; nothing is open then. */
function openPipes(native: Native, count: 2 | 3): Pipe[] | undefined {
  const { libc } = native;
  const ends = new Int32Array(2);
  const pipes: Pipe[] = [];
  for (const target of [1, 2, 0] as const) {
    if (pipes.length === count) break;
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) {
      closeAll(native, pipes);
      return undefined;
    }
    const [read = -1, write = -1] = ends;
    pipes.push(
      target === 0 ? { ours: write, theirs: read, target } : { ours: read, theirs: write, target },
    );
  }
  return pipes;
}

function closeAll({ libc }: Native, pipes: readonly Pipe[]): void {
  for (const pipe of pipes) {
    libc.close(pipe.ours);
    libc.close(pipe.theirs);
  }
}

/**
 * A child is made inside its cgroup (CLONE_INTO_CGROUP): moved there later, it could have forked
 * before, and the kernel takes milliseconds for a move.
 */
function openCgroup({ libc }: Native, { cgroup, path }: SpawnRequest): number | undefined {
  if (cgroup === undefined) return undefined;
  if (libc.spawnAttrSetCgroup === undefined) {
    throw new AgentError(
      "E_SPAWN",
      `Cannot run ${path} in a cgroup: the C library cannot, glibc 2.39 or later is needed`,
    );
  }
  try {
    return openSync(cgroup, files.O_RDONLY | files.O_DIRECTORY);
  } catch (error) {
    throw new AgentError("E_SPAWN", `Cannot run ${path} in ${cgroup}: it cannot be opened`, {
      cause: error,
    });
  }
}

/** Every read is handed on before the next one starts, so all pipes share one buffer. */
const chunk = new Uint8Array(CHUNK_BYTES);

/** One program from the request to the last byte of its output. */
class Child implements SpawnedProcess {
  readonly request: SpawnRequest;
  readonly events: SpawnEvents;
  readonly #earlySignals: number[] = [];
  readonly #sockets: Socket[] = [];
  #pid = 0;
  #openOutputs = 2;
  #exit: ExitStatus | undefined;
  #isKilled = false;
  #grace: NodeJS.Timeout | undefined;
  #released: () => void = () => {};

  constructor(request: SpawnRequest, events: SpawnEvents) {
    this.request = request;
    this.events = events;
  }

  started(reaper: Reaper, pid: number, pipes: readonly Pipe[], released: () => void): void {
    this.#pid = pid;
    this.#released = released;
    reaper.watch(pid, (exit) => {
      this.#exit = exit;
      if (this.#isKilled) this.#closeSoon();
      this.#check();
    });
    this.events.started(pid);
    for (const pipe of pipes) {
      if (pipe.target === 0) this.#writeInput(pipe.ours);
      else this.#readOutput(reaper, pipe.ours, pipe.target);
    }
    for (const signal of this.#earlySignals) this.kill(signal);
  }

  kill(signal: number): void {
    if (this.#pid === 0) {
      this.#earlySignals.push(signal);
      return;
    }
    if (this.#isOver) return;
    // Once the leader is reaped its number lives on as a group only; a process that has it now is
    // somebody else's.
    if (this.#exit === undefined || !existsSync(`/proc/${this.#pid}`)) {
      signalGroup(this.#pid, signal);
    }
    if (signal !== constants.signals.SIGKILL) return;
    this.#isKilled = true;
    if (this.#exit !== undefined) this.#closeSoon();
  }

  get #isOver(): boolean {
    return this.#exit !== undefined && this.#openOutputs === 0;
  }

  #closeSoon(): void {
    if (this.#isOver) return;
    this.#grace ??= setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, KILL_GRACE_MS);
  }

  #readOutput(reaper: Reaper, descriptor: number, target: 1 | 2): void {
    const socket = new Socket({
      fd: descriptor,
      readable: true,
      writable: false,
      onread: {
        buffer: chunk,
        callback: (length: number, bytes: Uint8Array) => {
          this.events.output(target, bytes.subarray(0, length), length === CHUNK_BYTES);
          return true;
        },
      },
    });
    this.#sockets.push(socket);
    // A read error ends the output as an end of file does; 'close' follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#openOutputs -= 1;
      if (this.#openOutputs > 0) return;
      if (this.#exit === undefined) reaper.expect(this.#pid);
      else this.#check();
    });
    socket.resume();
  }

  #writeInput(descriptor: number): void {
    const socket = new Socket({ fd: descriptor, readable: false, writable: true });
    this.#sockets.push(socket);
    // The program may end without reading its input: that is its own business.
    socket.on("error", () => {});
    socket.end(this.request.stdin);
  }

  #check(): void {
    if (this.#exit === undefined || this.#openOutputs > 0) return;
    clearTimeout(this.#grace);
    for (const socket of this.#sockets) socket.destroy();
    this.#released();
    this.events.ended(this.#exit);
  }
}

function signalGroup(group: number, signal: number): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // ESRCH: every member is gone already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function startError(request: SpawnRequest, errno: number): AgentError {
  const name = getSystemErrorName(-errno);
  const isMissingDir = name === "ENOENT" && !existsSync(request.dir);
  const subject = isMissingDir ? `in directory ${request.dir}` : request.path;
  return new AgentError("E_SPAWN", `Cannot run ${subject}: ${name}`, { fields: { errno: name } });
}

function formatEnv(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
