import type { Client } from "./client.ts";
import type { Limits } from "./limits.ts";
import { parseRecord, type StreamMessage } from "./stream.ts";

/** How long the end of the past may be waited for: a node may be told not to keep records of its level. */
const SILENCE_S = 1;

const CLEANUP: Limits = { timeoutMs: 5000 };

/**
 * The log records a node still has of the past, oldest first. They are copied to a list that is removed
 * again (wire protocol 9); a job of its own marks where the past ends.
 *
 * @param name Of the list and of the job; nobody else's.
 */
export async function readBacklog(
  client: Client,
  name: string,
  limits: Limits = {},
): Promise<StreamMessage[]> {
  const key = await client.value("logger.subscribe", { queue: name, levels: [] }, limits);
  const records: StreamMessage[] = [];
  try {
    await client.run("core.ping", {}, { ...limits, id: name });
    for (;;) {
      const text = await client.pop(key, SILENCE_S, limits);
      const record = text === null ? undefined : parseRecord(text);
      if (record === undefined || record.jobId === name) return records;
      records.push(record);
    }
  } finally {
    // Also when the caller has given up: a list that is fed stays on the node.
    await client.value("logger.unsubscribe", { queue: key }, CLEANUP);
    // An operator may not delete keys; an empty list is none.
    await client.drain(key, CLEANUP);
  }
}
