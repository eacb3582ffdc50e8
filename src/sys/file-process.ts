import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorText } from "../base/errors.ts";
import { fileError } from "./file-errors.ts";
import { BATCH, type FileCall, type FileReply, type FileRequest } from "./file-requests.ts";

/** Requests the helper works on at once; others wait for their turn. */
const MAX_RUNNING = 8;
/** Threads of the helper: each request can hold as many as it works on entries at once. */
const THREADS = MAX_RUNNING * BATCH;
/** Requests that wait; each is a job that has its text in memory anyway. */
const MAX_WAITING = 10_000;
/** A request of which nothing is done for this long hangs. */
const LIMIT_MS = 30_000;
/** The helper itself is there after a part of a second; on a busy node it takes longer. */
const START_MS = 30_000;
/** The helper ends when nothing is open and nobody has asked for this long. */
const IDLE_MS = 60_000;
/** Room for the largest directory that is listed, and soon collected: blocks leave much behind. */
const HEAP = ["--max-old-space-size=256", "--max-semi-space-size=4"];
/** Helpers that were killed and did not end: the kernel waits for a device or server for them. */
const MAX_UNDEAD = 3;

interface Waiting {
  readonly request: FileRequest;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Running extends Waiting {
  timer: NodeJS.Timeout | undefined;
  /** Nobody waits any more, but the helper still does. */
  isGivenUp: boolean;
}

/**
 * Files by way of a process of their own, which is started with the first request: a file system that
 * does not answer holds neither the event loop of the agent nor one of the few threads that all its
 * files, names and programs share.
 */
export class FileProcess {
  readonly #limitMs: number;
  readonly #idleMs: number;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<number, Running>();
  #child: ChildProcess | undefined;
  /** The helper has said that it is there. */
  #isReady = false;
  #undead = 0;
  #lastId = 0;
  #open = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor({ limitMs = LIMIT_MS, idleMs = IDLE_MS } = {}) {
    this.#limitMs = limitMs;
    this.#idleMs = idleMs;
  }

  /** Pid of the helper; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws AgentError `E_FILE` with what the helper says, or that it does not answer. */
  run(request: FileRequest): Promise<unknown> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(failure(request, `${MAX_WAITING} requests wait, expected fewer`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#next();
    });
  }

  /** Ends the helper; what it works on fails. */
  stop(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#leave(child, "the file helper was stopped");
    child?.kill("SIGKILL");
  }

  #next(): void {
    clearTimeout(this.#idle);
    while (this.#waiting.length > 0 && this.#running.size < MAX_RUNNING) {
      const child = this.#helper();
      const waiting = this.#waiting.shift();
      if (waiting === undefined) break;
      if (typeof child === "string") waiting.reject(failure(waiting.request, child));
      else this.#send(child, waiting);
    }
    const isBusy = [...this.#running.values()].some(({ isGivenUp }) => !isGivenUp);
    // While somebody waits for an answer, and only then, it keeps this process alive.
    if (isBusy) this.#child?.channel?.ref();
    else this.#child?.channel?.unref();
    if (isBusy || this.#open > 0) return;
    this.#idle = setTimeout(() => this.stop(), this.#idleMs);
    this.#idle.unref();
  }

  #send(child: ChildProcess, waiting: Waiting): void {
    this.#lastId += 1;
    const call: FileCall = { id: this.#lastId, request: waiting.request };
    const running: Running = { ...waiting, timer: undefined, isGivenUp: false };
    this.#running.set(call.id, running);
    this.#watch(running);
    // Where this fails it has ended, or never begun, and `exit` or `error` tell.
    if (child.connected) child.send(call, () => undefined);
  }

  #watch(running: Running): void {
    clearTimeout(running.timer);
    if (running.isGivenUp) return;
    const limitMs = this.#isReady ? this.#limitMs : Math.max(this.#limitMs, START_MS);
    running.timer = setTimeout(() => this.#giveUp(running), limitMs);
  }

  #giveUp(running: Running): void {
    running.isGivenUp = true;
    const seen = `the file system has not answered for ${this.#limitMs / 1000} s`;
    running.reject(failure(running.request, seen));
    // Its place stays taken, as the thread is. When all are, a new helper has to go on.
    const hanging = [...this.#running.values()].filter(({ isGivenUp }) => isGivenUp).length;
    if (hanging === MAX_RUNNING) {
      const child = this.#child;
      this.#leave(child, "the file helper had to be started again");
      child?.kill("SIGKILL");
    }
    this.#next();
  }

  /** @returns Why there is none instead. */
  #helper(): ChildProcess | string {
    if (this.#child !== undefined) return this.#child;
    if (this.#undead >= MAX_UNDEAD) {
      return `${MAX_UNDEAD} helpers hang in file systems that do not answer, expected fewer`;
    }
    let child: ChildProcess;
    try {
      child = startHelper();
    } catch (error) {
      return `the file helper cannot be started: ${errorText(error)}`;
    }
    this.#child = child;
    this.#undead += 1;
    let hasEnded = false;
    const end = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#undead -= 1;
      this.#leave(child, "the file helper ended");
      this.#next();
    };
    child.once("exit", end);
    child.once("error", end);
    child.on("message", (reply: FileReply) => {
      if (this.#child === child) this.#take(reply);
    });
    child.unref();
    return child;
  }

  #take(reply: FileReply): void {
    if (!this.#isReady) {
      this.#isReady = true;
      for (const running of this.#running.values()) this.#watch(running);
    }
    if ("open" in reply) this.#open = reply.open;
    const running = "id" in reply ? this.#running.get(reply.id) : undefined;
    if (running !== undefined && "progress" in reply) {
      this.#watch(running);
      return;
    }
    if (running !== undefined && "id" in reply) {
      clearTimeout(running.timer);
      this.#running.delete(reply.id);
      if ("error" in reply) running.reject(new AgentError("E_FILE", reply.error));
      else if ("value" in reply) running.resolve(reply.value);
    }
    this.#next();
  }

  /** Forgets a helper. What it worked on fails: whether it was done is not known. */
  #leave(child: ChildProcess | undefined, seen: string): void {
    if (child === undefined || this.#child !== child) return;
    this.#child = undefined;
    this.#isReady = false;
    this.#open = 0;
    for (const running of this.#running.values()) {
      clearTimeout(running.timer);
      running.reject(failure(running.request, seen));
    }
    this.#running.clear();
  }
}

/** `node0 file-helper`, from the bundle or from the source tree. */
function startHelper(): ChildProcess {
  const { fork } = process.getBuiltinModule("node:child_process");
  const bundled = join(import.meta.dirname, "node0.mjs");
  const program = existsSync(bundled) ? bundled : join(import.meta.dirname, "../main.ts");
  return fork(program, ["file-helper"], {
    cwd: "/",
    execArgv: HEAP,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    // No secrets of the agent's environment; the size of the pool can be told in no other way.
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", UV_THREADPOOL_SIZE: String(THREADS) },
  });
}

const VERBS: Readonly<Record<FileRequest["do"], string>> = {
  open: "open",
  read: "read",
  write: "write",
  close: "close",
  mkdir: "create directory",
  remove: "remove",
  exists: "look at",
  list: "list",
  move: "move",
  chmod: "change the mode of",
  chown: "change the owner of",
};

function failure(request: FileRequest, seen: string): AgentError {
  if ("path" in request) return fileError(VERBS[request.do], request.path, seen);
  return new AgentError("E_FILE", `Cannot ${VERBS[request.do]} a file: ${seen}`);
}
