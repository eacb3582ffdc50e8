/** How one try to reach one target ended. */
export interface ReachResult {
  /** URL of a controller or `HOST:PORT` of a probe. */
  readonly target: string;
  readonly isReached: boolean;
  /** In plain words, for example "no answer within 3 s" or "certificate not signed by its CA". */
  readonly reason: string;
}

export interface ReachRequest {
  /** Connect here instead of the host of the URL; the certificate is still checked for that host. */
  readonly address?: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Whether the machine's controllers (or, without any, its probes) can be reached over the network as
 * it is set up now. All are tried at the same time; the answer comes with the first that works.
 */
export interface Reach {
  /** Number of controllers; 0 means stand-alone. */
  readonly controllers: number;
  /** Number of probes, used only without controllers. */
  readonly probes: number;
  /** Loads what a try needs, so that the first one does not have to: there is time while a lease is waited for. */
  prepare(): void;
  /** Results so far, in configuration order; at least one is reached or all are over. Empty without targets. */
  try(request: ReachRequest): Promise<readonly ReachResult[]>;
}
