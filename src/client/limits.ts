export interface Limits {
  /** Milliseconds until the caller stops waiting; undefined waits as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One signal for both ways to stop waiting. */
export function limitSignal({ timeoutMs, signal }: Limits): AbortSignal {
  const signals: AbortSignal[] = [];
  if (signal !== undefined) signals.push(signal);
  if (timeoutMs !== undefined) signals.push(AbortSignal.timeout(timeoutMs));
  return AbortSignal.any(signals);
}
