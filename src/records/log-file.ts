import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { JobMessage } from "../job/types.ts";
import type { Logger } from "../log/logger.ts";
import { formatJsonLine } from "./json-line.ts";
import { lostRecord, RecordQueue } from "./record-queue.ts";

export interface LogFileOptions {
  readonly path: string;
  /** Bytes at which a new file is begun. */
  readonly size: number;
  /** Old files that stay. */
  readonly keep: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const QUEUE_BYTES = 4 * 1_048_576;
const BATCH_BYTES = 256 * 1024;
const RETRY_MS = 5000;
/** Never waits for a FIFO's reader, never follows a link that somebody put there. */
const OPEN_FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/**
 * Records as lines in a file of bounded size. Written off the main thread; what cannot be written in
 * time is lost and counted, the jobs never wait.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #queue = new RecordQueue(QUEUE_BYTES);
  #handle: FileHandle | undefined;
  #bytes = 0;
  /** Everything that touches the file takes its turn here. */
  #turn: Promise<void> = Promise.resolve();
  #isWriting = false;
  #hasFailed = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Records that were lost. */
  get lost(): number {
    return this.#queue.allLost;
  }

  push(message: JobMessage): void {
    this.#queue.push(message);
    this.#start();
  }

  /**
   * Begins a new file; the old one gets the time as suffix.
   *
   * @throws AgentError `E_LOG_FILE`
   */
  async rotate(): Promise<void> {
    await this.#inTurn(async () => {
      try {
        await this.#rotate();
        await this.#open();
      } catch (error) {
        throw new AgentError("E_LOG_FILE", `Cannot begin a new log file: ${errorText(error)}`, {
          cause: error,
        });
      }
    });
  }

  /** Resolves when everything so far is written, or was tried once. */
  async flush(): Promise<void> {
    await this.#inTurn(async () => {});
    if (!this.#queue.isEmpty) await this.#inTurn(() => this.#writeAll());
  }

  /** Writes what waits and closes the file; the next record opens it again. */
  async stop(): Promise<void> {
    await this.flush();
    await this.#inTurn(() => this.#close());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #start(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    void this.#inTurn(() => this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      while (!this.#queue.isEmpty) await this.#writeBatch();
      this.#isWriting = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  async #writeBatch(): Promise<void> {
    const { clock } = this.#options;
    const { records, lost } = this.#queue.take(BATCH_BYTES);
    const first = lost === 0 ? [] : [lostRecord(lost, clock.wallNs())];
    const lines = [...first, ...records].map((record) => formatJsonLine(record));
    try {
      const handle = this.#handle ?? (await this.#open());
      const bytes = Buffer.from(lines.join(""), "utf8");
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, done);
        done += bytesWritten;
        this.#bytes += bytesWritten;
      }
    } catch (error) {
      this.#queue.lose(records.length);
      this.#queue.tellAgain(lost);
      throw error;
    }
    if (this.#hasFailed) this.#options.log.info("log file of jobs is written again");
    this.#hasFailed = false;
    if (this.#bytes >= this.#options.size) await this.#rotate();
  }

  /** Whatever is wrong with the file may be over later: it is opened anew then. */
  #fail(error: unknown): void {
    const { log, path, clock } = this.#options;
    if (!this.#hasFailed) {
      log.warn("log file of jobs cannot be written", { path, reason: errorText(error) });
    }
    this.#hasFailed = true;
    void this.#close();
    clock.after(RETRY_MS, () => {
      this.#isWriting = false;
      if (!this.#queue.isEmpty) this.#start();
    });
  }

  async #open(): Promise<FileHandle> {
    const { path } = this.#options;
    await this.#close();
    const handle = await open(path, OPEN_FLAGS, 0o600);
    try {
      const status = await handle.stat();
      if (!status.isFile()) {
        throw new AgentError("E_LOG_FILE", `Cannot write ${path}: no regular file`);
      }
      this.#bytes = status.size;
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
    return handle;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // A late failure to write shows here; the records are as lost as if it had shown earlier.
    await handle?.close().catch(() => {});
  }

  async #rotate(): Promise<void> {
    const { path, keep, clock } = this.#options;
    await this.#close();
    await rename(path, await freeName(`${path}.${suffix(clock.wallMs())}`)).catch(ignoreMissing);
    const directory = dirname(path);
    const old = (await readdir(directory))
      .filter((name) => name.startsWith(`${basename(path)}.`) && SUFFIX.test(name))
      .sort();
    for (const name of old.slice(0, Math.max(0, old.length - keep))) {
      await rm(join(directory, name), { force: true });
    }
  }
}

const SUFFIX = /\.\d{8}T\d{6}\.\d{3}Z(?:-\d+)?$/;

/** For example `20261120T203551.123Z`: names sort by time. */
function suffix(epochMs: number): string {
  return new Date(epochMs).toISOString().replaceAll(/[-:]/g, "");
}

/** Two files may be full within a millisecond, and the clock may have been set back. */
async function freeName(name: string): Promise<string> {
  for (let count = 0; ; count += 1) {
    const candidate = count === 0 ? name : `${name}-${count}`;
    const isTaken = await stat(candidate).then(
      () => true,
      () => false,
    );
    if (!isTaken) return candidate;
  }
}

function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== "ENOENT") throw error;
}
