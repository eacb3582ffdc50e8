import { AgentError } from "../base/errors.ts";
import type { ApiError } from "../vault/controller-api.ts";

/** An error that is told to the caller with this HTTP status. */
export class RequestError extends AgentError {
  readonly status: number;
  readonly retryAfterS: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterS?: number) {
    super(code, message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** Codes of the parts below that are the caller's fault. */
const STATUS_OF: Readonly<Record<string, number>> = { E_SCHEMA: 400, E_CSR: 400 };

/** What a thrown value becomes on the wire. Only errors made for callers tell more than "internal". */
export function describeError(error: unknown): {
  readonly status: number;
  readonly body: ApiError;
} {
  if (error instanceof RequestError) {
    const { status, code, message, retryAfterS } = error;
    return {
      status,
      body: { code, message, ...(retryAfterS === undefined ? {} : { retryAfterS }) },
    };
  }
  if (error instanceof AgentError) {
    const status = STATUS_OF[error.code];
    if (status !== undefined) return { status, body: { code: error.code, message: error.message } };
  }
  return {
    status: 500,
    body: {
      code: "E_INTERNAL",
      message: "Cannot answer the request: an internal error, see the log",
    },
  };
}
