import type { Clock } from "../base/clock.ts";
import { errorCode, errorText } from "../base/errors.ts";
import { firstLine } from "../base/secret-bytes.ts";
import type { Logger } from "../log/logger.ts";
import { slowFiles } from "../sys/slow-files.ts";

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
  /** Whether the file named on the kernel command line gave one at the start. */
  readonly hasKernelPassword: boolean;
  /**
   * Called with the password that is to be in force from now on, which is wiped when it returns.
   *
   * @returns Whether it is another one than before.
   */
  readonly apply: (password: Uint8Array) => boolean;
  /**
   * Default: the first bytes of the file, or undefined where it is absent. Rejects when it cannot be read.
   * What it gives is wiped.
   */
  readonly read?: (path: string) => Promise<Uint8Array | undefined>;
}

/** Who writes into the mounted configuration from outside is not seen by inotify. */
const LOOK_MS = 5000;
const READ_LIMIT_MS = 2000;
const MAX_BYTES = 1024;

/**
 * The password of the endpoint: first line of a file of the private configuration, before that the one of
 * the kernel command line. A private one stays in force until another is read, also when its file is
 * gone: who makes the configuration disappear must not bring an older password back. Nothing of it is kept
 * here: whoever checks it knows whether it is another one.
 */
export class PasswordSource {
  readonly #options: PasswordSourceOptions;
  #origin: PasswordOrigin;
  #shown = "";
  #applying: Promise<Applied> | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(options: PasswordSourceOptions) {
    this.#options = options;
    this.#origin = options.hasKernelPassword ? "kernel" : "none";
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
    const { isChanged, problem } = await this.#applyInTime();
    if (problem !== "" && problem !== this.#shown) {
      this.#options.log.warn("password not read", { problem });
    }
    this.#shown = problem;
    return { origin: this.#origin, isChanged, problems: problem === "" ? [] : [problem] };
  }

  async #look(): Promise<void> {
    await this.reload();
    if (this.#cancelLook === undefined) return;
    this.#cancelLook = undefined;
    this.start();
  }

  /** A file system whose process hangs answers never: one read at a time, and nobody waits for it. */
  #applyInTime(): Promise<Applied> {
    this.#applying ??= this.#apply().finally(() => {
      this.#applying = undefined;
    });
    const applying = this.#applying;
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(READ_LIMIT_MS, () =>
        resolve(this.#failed(`no answer after ${READ_LIMIT_MS / 1000} s`)),
      );
      void applying.then(resolve).finally(cancel);
    });
  }

  /** Never rejects. What comes late counts as well. */
  async #apply(): Promise<Applied> {
    const { privateFile: file, read = readStart, apply, log } = this.#options;
    let content: Uint8Array | undefined;
    try {
      content = await read(file);
      if (content === undefined) {
        const isLost = this.#origin === "private";
        return isLost ? this.#failed("absent, the password read before stays") : NOTHING_NEW;
      }
      const password = firstLine(content);
      if (password.length === 0) return this.#failed("first line is empty");
      if (password.length > MAX_BYTES) {
        return this.#failed(`first line is longer than ${MAX_BYTES} bytes`);
      }
      this.#origin = "private";
      if (!apply(password)) return NOTHING_NEW;
      log.info("password changed", { file });
      return { isChanged: true, problem: "" };
    } catch (error) {
      return this.#failed(errorText(error));
    } finally {
      content?.fill(0);
    }
  }

  #failed(why: string): Applied {
    const problem = `Cannot use password file ${this.#options.privateFile}: ${why}`;
    return { isChanged: false, problem };
  }
}

interface Applied {
  readonly isChanged: boolean;
  /** Empty: none. */
  readonly problem: string;
}

const NOTHING_NEW: Applied = { isChanged: false, problem: "" };

const readStart = (path: string): Promise<Uint8Array | undefined> =>
  slowFiles.read({
    path: "it",
    code: "E_PASSWORD_FILE",
    work: () => readBytes(path),
    onLate: (content) => content?.fill(0),
  });

/** Loaded late: most machines have no private configuration when the agent starts. */
async function readBytes(path: string): Promise<Uint8Array | undefined> {
  const { open } = await import("node:fs/promises");
  const content = Buffer.allocUnsafeSlow(MAX_BYTES + 3);
  try {
    const file = await open(path);
    try {
      const { bytesRead } = await file.read(content);
      return content.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    content.fill(0);
    throw error;
  }
}
