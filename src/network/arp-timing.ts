/** Times of address conflict detection, in milliseconds. Names as in RFC 5227, section 1.1. */
export interface ArpTiming {
  /** Longest random wait before the first probe: machines that get power together do not ask together. */
  readonly probeWaitMs: number;
  readonly probeCount: number;
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
  /** From the last probe to "free". */
  readonly announceWaitMs: number;
  readonly announceCount: number;
  readonly announceIntervalMs: number;
  /** A second conflict within this time means the address is lost. */
  readonly defendIntervalMs: number;
  /** How often waiting packets are looked at. */
  readonly probePollMs: number;
  readonly defendPollMs: number;
}

/** The figures of RFC 5227, section 1.1: four to seven seconds for one address. */
export const RFC5227_TIMING: ArpTiming = {
  probeWaitMs: 1000,
  probeCount: 3,
  probeMinMs: 1000,
  probeMaxMs: 2000,
  announceWaitMs: 2000,
  announceCount: 2,
  announceIntervalMs: 2000,
  defendIntervalMs: 10_000,
  probePollMs: 50,
  defendPollMs: 500,
};

/**
 * For an address nobody gave us, tried on one interface after the other: 1.5 to 2.75 seconds. Section
 * 2.2 of the RFC leaves shorter times to links that allow them. What they must allow here is an answer
 * that takes 200 ms through a bad network and the loss of one packet in twenty: the last probe has
 * more than three times that to be answered, and with one probe more than the RFC sends, an owner is
 * missed once in ten thousand times (of three: once in a thousand). Neither these nor the figures of
 * the RFC outlast a switch port that blocks for 30 s after "up"; DHCP has waited there before, and
 * what is missed all the same is found by the defence.
 */
export const FALLBACK_TIMING: ArpTiming = {
  ...RFC5227_TIMING,
  probeWaitMs: 500,
  probeCount: 4,
  probeMinMs: 250,
  probeMaxMs: 500,
  announceWaitMs: 750,
};
