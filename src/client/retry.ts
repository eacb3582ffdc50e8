import { setTimeout as sleep } from "node:timers/promises";
import { backoffDelayMs } from "../base/backoff.ts";
import { errorCode } from "../base/errors.ts";
import { abortError } from "./connection.ts";

const BACKOFF = { initialMs: 100, factor: 2, capMs: 2000, jitter: 0.2 };

/**
 * Repeats `work` while the node cannot be reached, for at most `patienceMs` after the first failure.
 * Only for requests that change nothing: waiting, asking.
 *
 * @throws what `work` threw last; AgentError `E_ABORTED` | `E_DEADLINE` by `signal`.
 */
export async function retryWhileAway<T>(
  work: () => Promise<T>,
  options: { readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<T> {
  let awaySince: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      awaySince ??= performance.now();
      if (performance.now() - awaySince >= options.patienceMs) throw error;
    }
    const delayMs = backoffDelayMs(BACKOFF, attempt, Math.random());
    try {
      await sleep(delayMs, undefined, { signal: options.signal });
    } catch {
      throw abortError(options.signal);
    }
  }
}

/** True for errors that pass when the agent is back: it restarts within seconds of a crash. */
export function isAway(error: unknown): boolean {
  const code = errorCode(error);
  return code === "E_CONNECTION_LOST" || code === "E_CONNECT";
}
