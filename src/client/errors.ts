import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { JobResult, JobState } from "../job/types.ts";

/**
 * A job that did not end in `SUCCESS`. Its `code` is always `E_JOB_FAILED`; what the node said is in
 * {@link state} and {@link jobCode} (wire protocol 5.1 and 5.2).
 */
export class JobError extends AgentError {
  readonly state: JobState;
  /** The `code` of the result object: 1000 + status of a program, 999 for a signal, 404, 500, … */
  readonly jobCode: number;
  readonly jobId: string;
  readonly command: string;

  constructor(
    job: Pick<JobResult, "id" | "command" | "state" | "code">,
    text: string,
    cause?: unknown,
  ) {
    const detail = text === "" ? "" : `: ${text}`;
    super(
      "E_JOB_FAILED",
      `Cannot complete ${job.command}: state ${job.state}, code ${job.code}${detail}`,
      {
        fields: { id: job.id, command: job.command, state: job.state, jobCode: job.code },
        ...(cause === undefined ? {} : { cause }),
      },
    );
    this.name = "JobError";
    this.state = job.state;
    this.jobCode = job.code;
    this.jobId = job.id;
    this.command = job.command;
  }
}

/** Where a client connects to, for messages: `127.0.0.1:6379`, `[::1]:6379` or the socket path. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket; it takes the place of host and port when not empty. */
  readonly path: string;
}

/** One endpoint as a person writes it. */
export function formatEndpoint({ host, port, path }: Endpoint): string {
  if (path !== "") return path;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The reply `JOBERR <code> <STATE> <command> <id>: <text>` of a direct command. */
const JOB_ERROR = /^JOBERR (\d+) (\S+) (\S+) (\S*): ?([\s\S]*)$/;

/** Turns an error reply of the node into a typed error. */
export function replyError(error: Error, endpoint: Endpoint): AgentError {
  const job = JOB_ERROR.exec(error.message);
  if (job !== null) {
    const [, code, state, command = "", id = "", text = ""] = job;
    return new JobError({ id, command, state: state as JobState, code: Number(code) }, text, error);
  }
  const where = formatEndpoint(endpoint);
  if (error.message.startsWith("NOPERM ")) {
    const reason = error.message.slice("NOPERM ".length);
    return new AgentError("E_FORBIDDEN", `Cannot run the request on ${where}: ${reason}`, {
      cause: error,
      fields: { where },
    });
  }
  if (/^(NOAUTH|WRONGPASS)\b/.test(error.message)) {
    const isGiven = !error.message.startsWith("NOAUTH");
    const seen = isGiven ? "wrong password" : "no password given";
    return new AgentError("E_AUTH", `Cannot log in to ${where}: ${seen}`, {
      cause: error,
      fields: { where, isGiven },
    });
  }
  return new AgentError("E_REFUSED", `Cannot run the request on ${where}: ${error.message}`, {
    cause: error,
    fields: { where },
  });
}

/** Turns a failed connection attempt into a typed error; `fields.reason` holds the system's code. */
export function connectError(error: unknown, endpoint: Endpoint): AgentError {
  if (isReplyError(error)) return replyError(error, endpoint);
  const where = formatEndpoint(endpoint);
  const reason = errorCode(error) ?? "";
  const seen = PLAIN_REASONS[reason] ?? errorText(error);
  return new AgentError("E_CONNECT", `Cannot connect to ${where}: ${seen}`, {
    cause: error,
    fields: { where, reason },
  });
}

/** The usual reasons in words; the system's own texts name the endpoint a second time. */
const PLAIN_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to the machine",
  ENETUNREACH: "no route to its network",
  ENOENT: "no such socket",
  ENOTFOUND: "no such host name",
  EACCES: "permission denied",
};

/** True for an error the node sent as a reply; anything else broke the connection. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
