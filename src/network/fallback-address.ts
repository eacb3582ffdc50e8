import type { Clock } from "../base/clock.ts";
import { sleep } from "../sequencer/wait.ts";
import type { AddressGuard } from "./address-guard.ts";

export interface FallbackClaim {
  readonly guard: AddressGuard;
  readonly interface: string;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** The address an earlier claim got, tried first. Ignored when it is no fallback address. */
  readonly preferred?: string | undefined;
  /** Of this interface; the same object for each claim, so that it holds over all of them. */
  readonly conflicts?: FallbackConflicts;
  readonly onConflict?: (conflict: { address: string; mac: string }) => void;
}

/** The network of machines without DHCP; a controller has host 254 there. */
export const FALLBACK_PREFIX = 24;
export const FALLBACK_CONTROLLER = "10.254.254.254";
const NETWORK = "10.254.254.";
const LAST_HOST = 253;

/** MAX_CONFLICTS and RATE_LIMIT_INTERVAL. Source: RFC 5227, section 1.1. */
const MAX_CONFLICTS = 10;
const RATE_LIMIT_MS = 60_000;

/**
 * Finds an address 10.254.254.1 to .253 that nobody else uses. After a conflict it takes one it has
 * not tried yet; after ten of them on an interface, one a minute.
 *
 * @returns The address; the caller sets it at once and then defends it.
 * @throws AgentError `E_ARP` when the link cannot be used; the reason of the signal when aborted.
 */
export async function claimFallbackAddress(claim: FallbackClaim): Promise<{ address: string }> {
  const { guard, clock, signal } = claim;
  const conflicts = claim.conflicts ?? new FallbackConflicts();
  for (;;) {
    await sleep(clock, conflicts.waitMs(clock.monotonicMs()), signal);
    const address = chooseAddress(claim, conflicts);
    conflicts.noteTry(clock.monotonicMs());
    const outcome = await guard.probe(claim.interface, address, signal);
    if (outcome.isFree) return { address };
    conflicts.add(address);
    claim.onConflict?.({ address, mac: outcome.mac });
  }
}

/** The addresses of one interface that turned out to be somebody else's. */
export class FallbackConflicts {
  readonly #taken = new Set<string>();
  #count = 0;
  #lastTryMs = Number.NEGATIVE_INFINITY;

  /** Also for an address that was lost while it was in use: the next claim takes another one. */
  add(address: string): void {
    this.#count += 1;
    this.#taken.add(address);
    // All of them: each may be free again by now.
    if (this.#taken.size === LAST_HOST) this.#taken.clear();
  }

  has(address: string): boolean {
    return this.#taken.has(address);
  }

  /** How long the next try has to wait, in milliseconds. The RFC knows no end of this limit. */
  waitMs(nowMs: number): number {
    if (this.#count < MAX_CONFLICTS) return 0;
    return Math.max(0, this.#lastTryMs + RATE_LIMIT_MS - nowMs);
  }

  noteTry(nowMs: number): void {
    this.#lastTryMs = nowMs;
  }
}

/** True for an address {@link claimFallbackAddress} may return. */
export function isFallbackAddress(address: string): boolean {
  const host = Number(address.slice(NETWORK.length));
  return host >= 1 && host <= LAST_HOST && address === `${NETWORK}${host}`;
}

function chooseAddress(claim: FallbackClaim, conflicts: FallbackConflicts): string {
  const { preferred, random } = claim;
  if (preferred !== undefined && isFallbackAddress(preferred) && !conflicts.has(preferred)) {
    return preferred;
  }
  const hosts = Array.from({ length: LAST_HOST }, (_, index) => `${NETWORK}${index + 1}`);
  const untried = hosts.filter((address) => !conflicts.has(address));
  return untried[Math.floor(random() * untried.length)] ?? `${NETWORK}1`;
}
