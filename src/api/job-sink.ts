import { DEFAULT_JOBS_CONFIG, type JobsConfig } from "../config/node-config-jobs.ts";
import type { JobMessage, JobResult, JobSink } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { ListEntry } from "../keyspace/store.ts";
import { recordText } from "../records/record-text.ts";
import { bytesOfText } from "../resp/bytes.ts";
import { flagKey, JobRetention, resultKey, streamKey } from "./job-retention.ts";
import { resultBytes } from "./json-text.ts";

/** Publishes jobs in the keyspace: `result:<id>:flag`, `result:<id>`, `stream:<id>` (protocol 3). */
export class KeyspaceJobSink implements JobSink {
  readonly #keyspace: Keyspace;
  readonly #streamBytes: number;
  readonly #retention: JobRetention;

  constructor(
    keyspace: Keyspace,
    limits: Pick<JobsConfig, "retention" | "stream"> = DEFAULT_JOBS_CONFIG,
  ) {
    this.#keyspace = keyspace;
    this.#streamBytes = limits.stream;
    this.#retention = new JobRetention(keyspace, limits.retention);
  }

  /** Bytes kept of all jobs. */
  get keptBytes(): number {
    return this.#retention.usedBytes;
  }

  accepted(id: string): void {
    const flag = this.#keyspace.lists.append(flagKey(bytesOfText(id)), "");
    if (flag !== undefined) this.#retention.adopt(flag);
  }

  isKnown(id: string): boolean {
    return this.#keyspace.store.get(flagKey(bytesOfText(id))) !== undefined;
  }

  message(message: JobMessage): void {
    if ((message.flags & STREAM_FLAG) === 0) return;
    const key = streamKey(bytesOfText(message.jobId));
    const stream = this.#keyspace.lists.append(key, bytesOfText(recordText(message)));
    if (stream === undefined) return;
    this.#retention.adopt(stream);
    this.#keyspace.store.setExpiry(stream, STREAM_TTL_MS);
    while (this.#isTooLong(stream)) this.#keyspace.lists.pop(key, "left");
    this.#retention.enforceStream(key);
  }

  finished(result: JobResult): void {
    const { lists, store } = this.#keyspace;
    const id = bytesOfText(result.id);
    // The flag must outlive the result: a client asks for the flag before it waits for the result.
    const flag = store.get(flagKey(id));
    if (flag !== undefined) store.setExpiry(flag, RESULT_TTL_MS);
    const kept = lists.append(resultKey(id), resultBytes(result));
    if (kept === undefined) return;
    store.setExpiry(kept, RESULT_TTL_MS);
    this.#retention.keep(id, kept);
    this.#retention.enforce();
  }

  /** A reader that does not keep up loses the oldest records; the newest one stays in any case. */
  #isTooLong({ items, sizeBytes }: ListEntry): boolean {
    return items.length > MAX_RECORDS || (sizeBytes > this.#streamBytes && items.length > 1);
  }
}

const RESULT_TTL_MS = 300_000;
const STREAM_TTL_MS = 60_000;
const MAX_RECORDS = 1000;
const STREAM_FLAG = 1;
