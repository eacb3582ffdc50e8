import type { JobIntake } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { textOfBytes } from "../resp/bytes.ts";

/** The list clients submit commands to (protocol 3). */
export const JOB_QUEUE_KEY = "core:default";

/**
 * Hands every element of `core:default` to the engine, within the push that brings it and in order.
 * While the engine has no room the elements stay in the list.
 */
export function connectJobQueue(keyspace: Keyspace, intake: JobIntake): void {
  keyspace.blocking.consume(JOB_QUEUE_KEY, {
    hasRoom: () => intake.hasRoom(),
    take: (value) => intake.submit(textOfBytes(value)),
  });
  intake.onRoom(() => keyspace.blocking.grew(JOB_QUEUE_KEY));
}
