import { AgentError } from "../base/errors.ts";

export interface SlowRead<T> {
  /** As the reason names it. Looked at when there is no answer. */
  readonly path: string;
  /** Code of the error when there is no answer. */
  readonly code: string;
  /**
   * Reads; `progress` tells that something came, and the time begins anew. Holds three threads at most.
   */
  readonly work: (progress: () => void) => Promise<T>;
  /** Gets what came when nobody waited for it any more, for example to wipe it. */
  readonly onLate?: (value: T) => void;
}

const LIMIT_MS = 5000;

/**
 * Reads from a file system that a process serves. When that process hangs, so does each read, and each holds
 * one of the few threads all files of the agent share. So there is one read at a time, nobody waits for it
 * longer than 5 s, and as long as it hangs no other is tried.
 */
export class SlowFiles {
  readonly #waiting: { readonly start: () => Promise<void>; readonly refuse: () => void }[] = [];
  #isBusy = false;
  #isStuck = false;

  /** @throws AgentError with the code of the request when there is no answer; what `work` throws. */
  read<T>(request: SlowRead<T>): Promise<T> {
    if (this.#isStuck) return Promise.reject(noAnswer(request));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        start: () => this.#run(request, resolve, reject),
        refuse: () => reject(noAnswer(request)),
      });
      if (!this.#isBusy) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await next.start();
    }
    this.#isBusy = false;
  }

  /** Resolves when the read has ended, which may be long after it was given up. */
  async #run<T>(
    request: SlowRead<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const giveUp = (): void => {
      this.#isStuck = true;
      reject(noAnswer(request));
      for (const { refuse } of this.#waiting.splice(0)) refuse();
    };
    let timer = setTimeout(giveUp, LIMIT_MS);
    const progress = (): void => {
      clearTimeout(timer);
      if (!this.#isStuck) timer = setTimeout(giveUp, LIMIT_MS);
    };
    try {
      const value = await request.work(progress);
      if (this.#isStuck) request.onLate?.(value);
      else resolve(value);
    } catch (error) {
      reject(error);
    } finally {
      clearTimeout(timer);
      this.#isStuck = false;
    }
  }
}

/** For the whole agent, as its threads are. */
export const slowFiles = new SlowFiles();

function noAnswer({ code, path }: Pick<SlowRead<unknown>, "code" | "path">): AgentError {
  const seen = `its file system has not answered for ${LIMIT_MS / 1000} s`;
  return new AgentError(code, `Cannot read ${path}: ${seen}`);
}
