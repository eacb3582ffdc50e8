import type { PasswordControl } from "../api/services.ts";
import type { Clock } from "../base/clock.ts";
import { errorCode, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";

/** Where the password in force came from. */
export type PasswordOrigin = "private" | "kernel" | "none";

export interface PasswordReload {
  readonly origin: PasswordOrigin;
  /** Another password is in force than before. */
  readonly isChanged: boolean;
  /** What could not be used, one sentence each, without the contents. */
  readonly problems: readonly string[];
}

export interface PasswordSourceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** File of the private configuration, for example `/mnt/etc/redis/password`. */
  readonly privateFile: string;
  /** What the file named on the kernel command line said at the start; null without one. */
  readonly kernelPassword: string | null;
  /** Called with each password that is to be in force from now on. */
  readonly apply: (password: string) => void;
  /** Default: the file, or undefined where it is absent. Rejects when it cannot be read. */
  readonly readText?: (path: string) => Promise<string | undefined>;
}

/** Who writes into the mounted configuration from outside is not seen by inotify. */
const LOOK_MS = 5000;
const READ_LIMIT_MS = 2000;
const MAX_BYTES = 1024;

/**
 * The password of the endpoint: first line of a file of the private configuration, before that the one of
 * the kernel command line. A private one stays in force until another is read, also when its file is
 * gone: who makes the configuration disappear must not bring an older password back.
 */
export class PasswordSource implements PasswordControl {
  readonly #options: PasswordSourceOptions;
  #password: string | null;
  #origin: PasswordOrigin;
  #shown = "";
  #reading: Promise<string | undefined> | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(options: PasswordSourceOptions) {
    this.#options = options;
    this.#password = options.kernelPassword;
    this.#origin = options.kernelPassword === null ? "none" : "kernel";
  }

  get origin(): PasswordOrigin {
    return this.#origin;
  }

  /** Looks at the file every 5 s from now on; may be repeated. */
  start(): void {
    this.#cancelLook ??= this.#options.clock.after(LOOK_MS, () => void this.#look());
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** Reads the file again and applies what it says. Never rejects; takes 2 s at most. */
  async reload(): Promise<PasswordReload> {
    const { password, problem } = await this.#readPrivate();
    this.#tell(problem);
    const problems = problem === undefined ? [] : [problem];
    const isChanged = password !== undefined && password !== this.#password;
    if (password !== undefined) {
      this.#origin = "private";
      this.#password = password;
    }
    if (isChanged) {
      this.#options.apply(password);
      this.#options.log.info("password changed", { file: this.#options.privateFile });
    }
    return { origin: this.#origin, isChanged, problems };
  }

  async #look(): Promise<void> {
    await this.reload();
    if (this.#cancelLook === undefined) return;
    this.#cancelLook = undefined;
    this.start();
  }

  async #readPrivate(): Promise<{ password?: string; problem?: string }> {
    const { privateFile } = this.#options;
    const cannot = `Cannot use password file ${privateFile}:`;
    try {
      const text = await this.#readInTime();
      if (text === undefined) {
        const isLost = this.#origin === "private";
        return isLost ? { problem: `${cannot} absent, the password read before stays` } : {};
      }
      const [password = ""] = text.split("\n");
      if (password === "") return { problem: `${cannot} first line is empty` };
      if (Buffer.byteLength(password) <= MAX_BYTES) return { password };
      return { problem: `${cannot} first line is longer than ${MAX_BYTES} bytes` };
    } catch (error) {
      return { problem: `${cannot} ${errorText(error)}` };
    }
  }

  /** A file system whose process hangs answers never: one read at a time, and nobody waits for it. */
  #readInTime(): Promise<string | undefined> {
    const { clock, privateFile, readText = readFileText } = this.#options;
    this.#reading ??= readText(privateFile).finally(() => {
      this.#reading = undefined;
    });
    const reading = this.#reading;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(READ_LIMIT_MS, () =>
        reject(new Error(`no answer after ${READ_LIMIT_MS / 1000} s`)),
      );
      reading.then(resolve, reject).finally(cancel);
    });
  }

  #tell(problem = ""): void {
    if (problem !== "" && problem !== this.#shown) {
      this.#options.log.warn("password not read", { problem });
    }
    this.#shown = problem;
  }
}

/** Loaded late: most machines have no private configuration when the agent starts. */
async function readFileText(path: string): Promise<string | undefined> {
  const { open } = await import("node:fs/promises");
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 2));
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
