import { AgentError } from "../base/errors.ts";

/** The message is the text for the client. */
export const wrongType = (): AgentError =>
  new AgentError("E_KEY_TYPE", "WRONGTYPE Operation against a key holding the wrong kind of value");

/** The message is the text for the client. */
export const outOfMemory = (maxBytes: number): AgentError =>
  new AgentError(
    "E_KEYSPACE_FULL",
    `OOM command not allowed when used memory > 'maxmemory' (${maxBytes} bytes)`,
  );
