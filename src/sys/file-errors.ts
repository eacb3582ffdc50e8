import { AgentError, errorCode, errorText } from "../base/errors.ts";

/** A failure that says what was tried on which path, in the words of the kernel where it refused. */
export function fileError(verb: string, path: string, seen: unknown): AgentError {
  const reason = typeof seen === "string" ? seen : kernelReason(seen);
  return new AgentError("E_FILE", `Cannot ${verb} ${showPath(path)}: ${reason}`);
}

/** Quoted, so that blanks and control characters are seen; cut where it is long. */
export function showPath(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 197)}...` : path);
}

/** Node.js appends its own name of the call and a path, which may be one of ours below /proc. */
function kernelReason(error: unknown): string {
  const text = errorText(error);
  const code = errorCode(error);
  const match = /^([A-Z0-9]+): ([^,]+)/.exec(text);
  return code !== undefined && match?.[1] === code ? `${code}, ${match[2]}` : text;
}
