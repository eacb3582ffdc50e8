import type { Clock } from "../base/clock.ts";
import type { LoggingConfig } from "../config/node-config-logging.ts";
import type { MessageListener } from "../job/message-hub.ts";
import type { JobMessage } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Logger } from "../log/logger.ts";
import { Backlog } from "./backlog.ts";
import { compactMessage } from "./compact-message.ts";
import { LevelSet, NO_LEVELS } from "./level-set.ts";
import { LogFile } from "./log-file.ts";
import { RemoteLog } from "./remote-log.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { LostRecords, RecordControl } from "./types.ts";

export interface RecordsOptions {
  readonly config: LoggingConfig;
  /** Where the log file is unless the configuration says so. */
  readonly stateDir: string;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The backlog of wire protocol 9, and the length of its texts. */
const BACKLOG = { records: 1000, bytes: 4 * 1_048_576 };

/** Takes the messages of all jobs to backlog, subscribers, log file and remote log. */
export class Records implements MessageListener, RecordControl {
  readonly #levels: LevelSet;
  readonly #fileLevels: LevelSet;
  readonly #remoteLevels: LevelSet;
  readonly #backlog = new Backlog(BACKLOG);
  readonly #subscriptions: Subscriptions;
  readonly #file: LogFile;
  readonly #remote: RemoteLog | null;

  constructor({ config, stateDir, keyspace, clock, log }: RecordsOptions) {
    const { file, ledis, remote } = config;
    this.#levels = new LevelSet(ledis.levels);
    // No level is no file: an empty list of levels means all elsewhere only.
    this.#fileLevels = file.levels.length === 0 ? NO_LEVELS : new LevelSet(file.levels);
    this.#remoteLevels = remote.address === "" ? NO_LEVELS : new LevelSet(remote.levels);
    this.#subscriptions = new Subscriptions(keyspace, ledis.size);
    const path = file.path === "" ? `${stateDir}/jobs.log` : file.path;
    this.#file = new LogFile({ ...file, path, clock, log });
    this.#remote = remote.address === "" ? null : new RemoteLog({ ...remote, clock, log });
  }

  readonly message = (message: JobMessage): void => {
    const { level } = message;
    const isShown = this.#levels.has(level);
    const isFiled = this.#fileLevels.has(level);
    const isSent = this.#remoteLevels.has(level);
    if (!isShown && !isFiled && !isSent) return;
    const record = compactMessage(message);
    if (isShown) {
      this.#backlog.push(record);
      if (this.#subscriptions.size > 0) this.#subscriptions.publish(record);
    }
    if (isFiled) this.#file.push(record);
    if (isSent) this.#remote?.push(record);
  };

  async subscribe(queue: string, levels: readonly number[]): Promise<string> {
    return this.#subscriptions.add(queue, levels, () => this.#backlog.entries());
  }

  async unsubscribe(key: string): Promise<void> {
    this.#subscriptions.remove(key);
  }

  async reopen(): Promise<void> {
    await this.#file.rotate();
  }

  async lost(): Promise<LostRecords> {
    return { file: this.#file.lost, remote: this.#remote?.lost ?? 0 };
  }

  /** Writes what waits for the file; the remote connection ends. */
  async stop(): Promise<void> {
    this.#remote?.stop();
    await this.#file.stop();
  }
}
