/** Records that left for want of room or a place to go, since the start of the agent. */
export interface LostRecords {
  readonly file: number;
  readonly remote: number;
}

/** What commands do with the log records of all jobs (wire protocol 9). */
export interface RecordControl {
  /**
   * Feeds the list `logger:<queue>` from now on, beginning with the records of the near past. A queue
   * that is fed already stays as it is.
   *
   * @param queue Empty: a new name.
   * @param levels Levels fed; empty: all. The last record of a job always passes.
   * @returns The key of the list.
   * @throws AgentError `E_LOG_QUEUES` when too many lists are fed, or for a name that is too long.
   */
  subscribe(queue: string, levels: readonly number[]): Promise<string>;
  /** Stops feeding a list, which stays as it is. An unknown key is fine. */
  unsubscribe(key: string): Promise<void>;
  /** Begins a new log file; the old one gets the time as suffix. */
  reopen(): Promise<void>;
  lost(): Promise<LostRecords>;
}
