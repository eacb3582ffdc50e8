/** How long things may take, in milliseconds. */
export interface NetworkLimits {
  /** Auto-negotiation of copper ports takes up to this long after "up". */
  readonly carrierMs: number;
  /** For a DHCP answer; null: `[network] dhcp_limit` of net.toml decides. */
  readonly dhcpMs: number | null;
  /** What an earlier interface gets to catch up with a later one that has its lease already. */
  readonly headStartMs: number;
  /** For the controllers to answer on one interface. */
  readonly reachMs: number;
  /** For finding a free fallback address on one interface, conflicts included. */
  readonly claimMs: number;
  /** A chosen interface may be without carrier this long: switches restart, cables wobble. */
  readonly carrierLostMs: number;
  /** Between two checks of the controllers while the network is up. */
  readonly checkMs: number;
  /** So many checks in a row must fail before the network counts as lost. */
  readonly checkFailures: number;
  /** Between two looks while the kernel's notices are not loaded and something is expected. */
  readonly quickLookMs: number;
  /** Between two looks without the kernel's notices otherwise. */
  readonly lookMs: number;
  /** A wait longer than this is worth loading the kernel's notices. */
  readonly eventsAfterMs: number;
  /** After the network came up: the rest of the boot has the processor for itself this long. */
  readonly eventsAfterUpMs: number;
  /** Between two looks whether the DHCP clients still run. */
  readonly clientsMs: number;
  /** Between two times the network is set up as desired. */
  readonly reconcileMs: number;
  /** Between two beginnings of the search. */
  readonly restartMs: number;
}

export const NETWORK_LIMITS: NetworkLimits = {
  carrierMs: 3000,
  dhcpMs: null,
  headStartMs: 2000,
  reachMs: 5000,
  claimMs: 30_000,
  carrierLostMs: 2000,
  checkMs: 60_000,
  checkFailures: 3,
  quickLookMs: 100,
  lookMs: 1000,
  eventsAfterMs: 500,
  eventsAfterUpMs: 5000,
  clientsMs: 10_000,
  reconcileMs: 200,
  restartMs: 1000,
};
