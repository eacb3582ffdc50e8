import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";

/** The thread runs a few lines and SQLite, which has its memory elsewhere. */
const RESOURCES = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 };

const RESTART_MS = 10_000;

/**
 * Keeps the write-ahead log short from a thread of its own: a checkpoint waits for the disk, and on the
 * main thread all machines would wait with it. It locks nobody out while it works.
 */
export class Checkpoints {
  readonly #path: string;
  readonly #log: Logger;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;

  /** @param path Of the database. */
  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  start(): void {
    const worker = new Worker(new URL("./store-checkpoint-thread.ts", import.meta.url), {
      workerData: this.#path,
      resourceLimits: RESOURCES,
      env: compileCache(),
    });
    this.#worker = worker;
    worker.on("error", (error) => {
      this.#log.error("Checkpoint failed, tried again later", { error: errorText(error) });
      // Until then the main thread does it, once the log is long.
      this.#restart = setTimeout(() => this.start(), RESTART_MS);
    });
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restart);
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
