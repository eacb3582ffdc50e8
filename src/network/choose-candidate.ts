/** What the choice among the interfaces of the DHCP method depends on. Times are monotonic milliseconds. */
export interface Candidate {
  readonly name: string;
  readonly hasCarrier: boolean;
  /** Since when a DHCP client asks on it in this round; null where none does. */
  readonly askingSinceMs: number | null;
  /** Since when there is a lease; null without one. */
  readonly leaseSinceMs: number | null;
  /** Since when it has an address and a default route without DHCP; null without them. */
  readonly otherSinceMs: number | null;
  /** It was used in this round and led nowhere. */
  readonly isTried: boolean;
}

export interface ChoiceLimits {
  readonly nowMs: number;
  readonly dhcpMs: number;
  readonly headStartMs: number;
  /** Until then an interface without carrier may still get one. */
  readonly carrierUntilMs: number;
}

export type CandidateChoice =
  | { readonly action: "use"; readonly name: string }
  /** Nothing can be used before then, unless something changes. */
  | { readonly action: "wait"; readonly untilMs: number }
  | { readonly action: "end" };

/**
 * Which interface is used next. All ask at the same time, they are used in the order given. An earlier
 * one that still asks gets a head start from the moment a later one can be used, so dead interfaces
 * together cost one head start and not one DHCP limit each.
 */
export function chooseCandidate(
  candidates: readonly Candidate[],
  limits: ChoiceLimits,
): CandidateChoice {
  const { nowMs } = limits;
  const dues: number[] = [];
  let isEarlierAsking = false;
  for (const candidate of candidates) {
    if (candidate.isTried || !candidate.hasCarrier) continue;
    const endsMs = askingEndsMs(candidate, limits);
    const isAsking = endsMs !== null && endsMs > nowMs;
    const readyMs = usableFromMs(candidate, isAsking, limits);
    if (readyMs !== null) {
      const dueMs = readyMs + (isEarlierAsking ? limits.headStartMs : 0);
      if (dueMs <= nowMs) return { action: "use", name: candidate.name };
      dues.push(dueMs);
    }
    if (isAsking) {
      dues.push(endsMs);
      isEarlierAsking = true;
    }
  }
  const isDark = candidates.some(({ hasCarrier, isTried }) => !hasCarrier && !isTried);
  if ((isDark || candidates.length === 0) && limits.carrierUntilMs > nowMs) {
    dues.push(limits.carrierUntilMs);
  }
  return dues.length === 0 ? { action: "end" } : { action: "wait", untilMs: Math.min(...dues) };
}

/** Null where no answer of DHCP is waited for. */
function askingEndsMs(candidate: Candidate, { dhcpMs }: ChoiceLimits): number | null {
  if (candidate.leaseSinceMs !== null || candidate.askingSinceMs === null) return null;
  return candidate.askingSinceMs + dhcpMs;
}

/** Addresses without DHCP count too, but a lease is preferred for the length of a head start. */
function usableFromMs(
  candidate: Candidate,
  isAsking: boolean,
  { headStartMs }: ChoiceLimits,
): number | null {
  if (candidate.leaseSinceMs !== null) return candidate.leaseSinceMs;
  if (candidate.otherSinceMs === null) return null;
  return candidate.otherSinceMs + (isAsking ? headStartMs : 0);
}
