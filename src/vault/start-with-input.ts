import { closeSync, constants as fileFlags, writeSync } from "node:fs";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { AgentError } from "../base/errors.ts";
import type { ProcessName } from "../service/host.ts";
import type { Files } from "../sys/files.ts";
import {
  ACTIONS_BYTES,
  cleanSpawnAttributes,
  type Libc,
  loadLibc,
  POSIX_SPAWN_SETSID,
} from "../sys/libc.ts";
import { parsePidStat } from "../sys/proc/pid-files.ts";
import { parseWaitStatus } from "../sys/spawn-reaper.ts";

export interface InputRequest {
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Written to its standard input through a pipe, which is closed then. Wiped in any case. At most
   * 4096 bytes: what a pipe takes at once.
   */
  readonly input: Buffer;
  /** Standard output and standard error are appended here. */
  readonly outputFile: string;
}

export interface InputProcess extends ProcessName {
  /** Exit code, or null after a signal. Never rejects. */
  readonly ended: Promise<number | null>;
}

/**
 * Starts a daemon that reads a secret first. It leads a session of its own and goes on when the agent
 * dies; its memory is kept out of core dumps. As with jobs, the memory of the agent is not copied for it.
 *
 * @throws AgentError `E_SERVICE_START`.
 */
export async function startWithInput(files: Files, request: InputRequest): Promise<InputProcess> {
  const { input } = request;
  try {
    const libc = await loadLibc();
    const ends = new Int32Array(2);
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw failure(request, libc.errno());
    const [theirs = -1, ours = -1] = ends;
    try {
      const pid = await start(libc, request, theirs);
      // Nobody waits for it before this turn of the event loop ends, so its start time can be read.
      const startTicks = parsePidStat(files.readText(`/proc/${pid}/stat`) ?? "")?.startTicks ?? 0;
      const ended = endOf(libc, pid);
      keepOutOfDumps(files, pid);
      give(ours, input);
      return { pid, startTicks, ended };
    } finally {
      closeSync(ours);
    }
  } finally {
    input.fill(0);
  }
}

/** Closes the end of the pipe that the child has then. @returns The pid. */
function start(libc: Libc, request: InputRequest, theirs: number): Promise<number> {
  const { path, args, env, outputFile } = request;
  const actions = new Uint8Array(ACTIONS_BYTES);
  libc.spawnActionsInit(actions);
  libc.spawnActionsDup2(actions, theirs, 0);
  libc.spawnActionsOpen(actions, 1, outputFile, APPEND, 0o600);
  libc.spawnActionsDup2(actions, 1, 2);
  libc.spawnActionsChdir(actions, "/");
  libc.spawnActionsCloseFrom(actions, FIRST_UNUSED_DESCRIPTOR);
  const attributes = cleanSpawnAttributes(libc, POSIX_SPAWN_SETSID);
  const pid = new Int32Array(1);
  const envTexts = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const call = { pid, actions, attributes, path, argv: [path, ...args], env: envTexts };
  return new Promise((resolve, reject) => {
    libc.posixSpawn(call, (errno) => {
      libc.spawnActionsDestroy(actions);
      libc.close(theirs);
      if (errno === 0) resolve(pid[0] ?? 0);
      else reject(failure(request, errno));
    });
  });
}

/** The pipe holds more than this: it never waits. A program that ends without reading says why itself. */
function give(pipe: number, input: Buffer): void {
  try {
    writeSync(pipe, input);
  } catch {
    // EPIPE: it has ended already.
  }
}

/** Node.js waits for its own children alone, and so does this. */
function endOf(libc: Libc, pid: number): Promise<number | null> {
  const status = new Int32Array(1);
  return new Promise((resolve) => {
    const look = (): void => {
      const result = libc.waitpid(pid, status, WNOHANG);
      if (result === 0 || (result < 0 && libc.errno() === constants.errno.EINTR)) return;
      process.off("SIGCHLD", look);
      resolve(result === pid ? parseWaitStatus(status[0] ?? 0).code : null);
    };
    process.on("SIGCHLD", look);
    // It may have ended before anybody listened.
    look();
  });
}

/** Source: core(5), "Controlling which mappings are written to the core dump". */
function keepOutOfDumps(files: Files, pid: number): void {
  try {
    files.writeText(`/proc/${pid}/coredump_filter`, "0");
  } catch {
    // It has ended already, or the kernel makes no core dumps.
  }
}

const O_CLOEXEC = 0o2000000;
const { O_APPEND, O_CREAT, O_WRONLY } = fileFlags;
const APPEND = O_WRONLY | O_APPEND | O_CREAT;
const FIRST_UNUSED_DESCRIPTOR = 3;
const WNOHANG = 1;

function failure({ path }: InputRequest, errno: number): AgentError {
  const name = getSystemErrorName(-errno);
  return new AgentError("E_SERVICE_START", `Cannot start ${path}: ${name}`);
}
