import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";

/** The thread runs a few lines and SQLite, which has its memory elsewhere. */
const RESOURCES = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 };

const RETRY_MS = 10_000;

export interface CheckpointWork {
  /** Of the database. */
  readonly path: string;
  readonly everyMs: number;
  /** A log longer than this is written back to its end even where writers have to wait for that. */
  readonly longLogPages: number;
}

/** Pages of 4 KiB: with 10 000 machines some 20 MiB are written in this time. */
export const CHECKPOINTS = { everyMs: 10_000, longLogPages: 8192 } as const;

/**
 * Keeps the write-ahead log short from a thread of its own: a checkpoint waits for the disk, and on the
 * main thread all machines would wait with it. It locks nobody out while it works.
 */
export class Checkpoints {
  readonly #work: CheckpointWork;
  readonly #log: Logger;
  #worker: Worker | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(work: CheckpointWork, log: Logger) {
    this.#work = work;
    this.#log = log;
  }

  start(): void {
    const worker = new Worker(new URL("./store-checkpoint-thread.ts", import.meta.url), {
      workerData: this.#work,
      resourceLimits: RESOURCES,
      env: compileCache(),
    });
    this.#worker = worker;
    worker.on("error", (error) => {
      this.#log.error("Checkpoint failed, tried again later", { error: errorText(error) });
      // Until then the main thread does it, once the log is long.
      this.#retry = setTimeout(() => this.start(), RETRY_MS);
    });
  }

  async stop(): Promise<void> {
    clearTimeout(this.#retry);
    const worker = this.#worker;
    if (worker === undefined || worker.threadId === -1) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    worker.once("exit", () => resolve());
    worker.postMessage("stop");
    await promise;
  }
}

/** A thread does not inherit the cache; without it the sources are stripped of their types anew, in 9 MiB. */
function compileCache(): Record<string, string> {
  const directory = getCompileCacheDir();
  // It names the part for this version of Node.js, which is added again.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}
