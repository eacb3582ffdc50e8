/** `node0/client`: what programs use to talk to a node. docs/client.md shows how. */
import { type ConnectOptions, connect as connectClient } from "./connect.ts";
import { type NodeClient, withMethods } from "./methods.ts";

export { AgentError } from "../base/errors.ts";
export type { JobInfo, JobResult, JobState } from "../job/types.ts";
export type { ConnectOptions } from "./connect.ts";
export { JobError } from "./errors.ts";
export type { BootEvent, EventChannel, NodeEvent } from "./events.ts";
export { readRemoteFile, type WriteFileOptions, writeRemoteFile } from "./files.ts";
export type { CommandArguments } from "./generated/arguments.ts";
export type { CommandMethods } from "./generated/methods.ts";
export type { CommandValues } from "./generated/values.ts";
export type { JobStream } from "./job-stream.ts";
export type { Limits } from "./limits.ts";
export type { NodeClient } from "./methods.ts";
export type { RunOptions, WaitOptions } from "./run-options.ts";
export type { StreamMessage } from "./stream.ts";

/**
 * Opens a client of one node, with every command as a method.
 *
 * @throws AgentError `E_CONNECT` | `E_AUTH` | `E_PASSWORD_FILE` | `E_ABORTED` | `E_DEADLINE`
 */
export async function connect(options: ConnectOptions = {}): Promise<NodeClient> {
  return withMethods(await connectClient(options));
}
