import type { JobMessage, JobResult, JobSink } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { bytesOfText } from "../resp/bytes.ts";
import { jsonText } from "./json-text.ts";

/** Publishes jobs in the keyspace: `result:<id>:flag`, `result:<id>`, `stream:<id>` (protocol 3). */
export class KeyspaceJobSink implements JobSink {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  accepted(id: string): void {
    this.#keyspace.lists.push(flagKey(id), "right", FLAG);
  }

  isKnown(id: string): boolean {
    return this.#keyspace.store.get(flagKey(id)) !== undefined;
  }

  message(message: JobMessage): void {
    if ((message.flags & STREAM_FLAG) === 0) return;
    this.#publish(bytesOfText(`stream:${message.jobId}`), recordText(message), STREAM_TTL_MS);
  }

  finished(result: JobResult): void {
    // The flag must outlive the result: a client asks for the flag before it waits for the result.
    const flag = this.#keyspace.store.get(flagKey(result.id));
    if (flag !== undefined) this.#keyspace.store.setExpiry(flag, RESULT_TTL_MS);
    this.#publish(bytesOfText(`result:${result.id}`), jsonText(result), RESULT_TTL_MS);
  }

  #publish(key: string, text: string, ttlMs: number): void {
    const { lists, store } = this.#keyspace;
    const length = lists.push(key, "right", [bytesOfText(text)]);
    if (length > MAX_RECORDS) lists.trim(key, -MAX_RECORDS, -1);
    // Gone already when a waiting client took the only element.
    const entry = store.get(key);
    if (entry !== undefined) store.setExpiry(entry, ttlMs);
  }
}

const FLAG = [""];
const RESULT_TTL_MS = 300_000;
const STREAM_TTL_MS = 60_000;
const MAX_RECORDS = 1000;
const STREAM_FLAG = 1;
const LEVEL_FACTOR = 2 ** 16;

const flagKey = (id: string): string => bytesOfText(`result:${id}:flag`);

/** A log record (protocol 8), put together by hand: the epoch is a 64-bit integer. */
export function recordText({ jobId, text, level, flags, epochNs }: JobMessage): string {
  const meta = level * LEVEL_FACTOR + flags;
  const message = `{"message":${jsonText(text)},"epoch":${epochNs},"meta":${meta}}`;
  return `{"core":0,"command":${jsonText(jobId)},"message":${message}}`;
}
