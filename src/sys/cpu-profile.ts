import type { FileHandle } from "node:fs/promises";
import type { Session } from "node:inspector";
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import { openOutputFile } from "./output-file.ts";

/** Samples take memory: a profile that nobody stops ends by itself. */
const LIMIT_MS = 600_000;
const FILE_MODE = 0o600;

/**
 * Takes a profile of what this process computes. The profiler runs inside the process: no port is
 * opened, nobody else can attach.
 */
export class CpuProfile {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #isBusy = false;
  #running:
    | { readonly session: Session; readonly file: FileHandle; readonly cancel: () => void }
    | undefined;

  /** @param onError Told when a profile that reached its limit could not be written. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /**
   * @param path Where the profile is written when it ends, in the form of `.cpuprofile`.
   * @throws AgentError `E_PROFILE` when one is being taken, `E_FILE` when the file cannot be written.
   */
  async start(path: string): Promise<void> {
    if (this.#isBusy) throw new AgentError("E_PROFILE", "Cannot start profile: one is being taken");
    this.#isBusy = true;
    let file: FileHandle | undefined;
    try {
      file = await openOutputFile(path, FILE_MODE);
      const session = new (process.getBuiltinModule("node:inspector").Session)();
      session.connect();
      await post(session, "Profiler.enable");
      await post(session, "Profiler.start");
      const cancel = this.#clock.after(LIMIT_MS, () => void this.stop().catch(this.#onError));
      this.#running = { session, file, cancel };
    } catch (error) {
      this.#isBusy = false;
      await file?.close();
      throw error;
    }
  }

  /** Writes the profile. Nothing to stop is fine. @throws the system error of the write. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const { session, file, cancel } = running;
    cancel();
    try {
      const { profile } = (await post(session, "Profiler.stop")) as { profile: unknown };
      await file.writeFile(JSON.stringify(profile));
    } finally {
      session.disconnect();
      await file.close();
      this.#isBusy = false;
    }
  }
}

function post(session: Session, method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
