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
/** Longer than ten tries at that rate, so that a network full of conflicts stays at it. */
const REMEMBER_MS = 15 * RATE_LIMIT_MS;

/**
 * Finds an address 10.254.254.1 to .253 that nobody else uses. After a conflict it takes one it has
 * not tried yet; after ten of them within a quarter of an hour, one a minute.
 *
 * @returns The address; the caller sets it at once and then defends it.
 * @throws AgentError `E_ARP` when the link cannot be used; the reason of the signal when aborted.
 */
export async function claimFallbackAddress(claim: FallbackClaim): Promise<{ address: string }> {
  const { guard, clock, signal } = claim;
  const conflicts = claim.conflicts ?? new FallbackConflicts(clock);
  for (;;) {
    await sleep(clock, conflicts.waitMs(), signal);
    const address = chooseAddress(claim, conflicts);
    conflicts.noteTry();
    const outcome = await guard.probe(claim.interface, address, signal);
    if (outcome.isFree) return { address };
    conflicts.add(address);
    claim.onConflict?.({ address, mac: outcome.mac });
  }
}

/** The addresses of one interface that turned out to be somebody else's, for a quarter of an hour. */
export class FallbackConflicts {
  readonly #clock: Clock;
  readonly #foundMs = new Map<string, number>();
  #lastTryMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Also for an address that was lost while it was in use: the next claim takes another one. */
  add(address: string): void {
    this.#foundMs.set(address, this.#clock.monotonicMs());
  }

  has(address: string): boolean {
    this.#forgetOld();
    return this.#foundMs.has(address);
  }

  /** How long the next try has to wait, in milliseconds. */
  waitMs(): number {
    this.#forgetOld();
    if (this.#foundMs.size < MAX_CONFLICTS) return 0;
    return Math.max(0, this.#lastTryMs + RATE_LIMIT_MS - this.#clock.monotonicMs());
  }

  noteTry(): void {
    this.#lastTryMs = this.#clock.monotonicMs();
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.monotonicMs() - REMEMBER_MS;
    for (const [address, foundMs] of this.#foundMs) {
      if (foundMs < oldestMs) this.#foundMs.delete(address);
    }
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
  // The rate limit keeps conflicts far below the number of hosts: one is always left.
  return untried[Math.floor(random() * untried.length)] ?? `${NETWORK}1`;
}
