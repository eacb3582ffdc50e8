import type { NetworkSight } from "./network-sight.ts";
import { type DefaultRouteView, usableRoute } from "./network-view.ts";
import type { Reach, ReachResult } from "./reach.ts";

export interface ReachCheckRequest {
  readonly reach: Reach;
  readonly sight: NetworkSight;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** Interface under test: without targets its default route decides. */
  readonly interface?: string;
  /** Controllers are looked for here instead of at the host of their URL. */
  readonly address?: string;
}

export interface ReachCheck {
  readonly isReached: boolean;
  /** "controller https://a:443 reached", or why nothing was. Empty for a default route alone. */
  readonly reason: string;
  /** Of the targets; empty without any. */
  readonly results: readonly ReachResult[];
}

/** Whether the network as it is set up now is good enough: see {@link Reach}. */
export async function checkReach(request: ReachCheckRequest): Promise<ReachCheck> {
  const { reach, sight, limitMs, signal, address } = request;
  if (reach.controllers + reach.probes === 0) {
    const route = usableRoute(sight.look(), request.interface);
    const isReached = route !== undefined;
    return { isReached, reason: isReached ? "" : "no default route", results: [] };
  }
  const results = await reach.try({
    limitMs,
    signal,
    ...(address === undefined ? {} : { address }),
  });
  const reached = results.find(({ isReached }) => isReached);
  if (reached !== undefined) {
    return { isReached: true, reason: `${reached.target} reached`, results };
  }
  const reasons = results.map(({ target, reason }) => `${target}: ${reason}`);
  return { isReached: false, reason: reasons.slice(0, SHOWN).join(", ") || "no answer", results };
}

/** "eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2, https://a reached". */
export function describeReached(parts: {
  /** "eth0 10.0.2.15/24 by DHCP". */
  readonly what: string;
  readonly route: DefaultRouteView | undefined;
  readonly check: ReachCheck;
}): string {
  const gateway = parts.route?.gateway ?? null;
  const words = [
    parts.what,
    gateway === null || gateway === "0.0.0.0" ? "" : `gateway ${gateway}`,
    parts.check.reason,
  ];
  return words.filter((word) => word !== "").join(", ");
}

/** More addresses than this make no line. */
const SHOWN = 2;
