import type { Clock } from "../base/clock.ts";
import type { LoadedNetworkConfig } from "../config/network-types.ts";
import type { Logger } from "../log/logger.ts";
import type { AddressGuard } from "./address-guard.ts";
import type { ClientKeeper } from "./client-keeper.ts";
import { type InterfaceRole, type InterfaceRoles, interfaceRoles } from "./interface-roles.ts";
import type { NetworkChoice } from "./network-choice.ts";
import type { NetworkLimits } from "./network-limits.ts";
import type { NetworkSetup } from "./network-setup.ts";
import type { NetworkSight } from "./network-sight.ts";
import type { NetworkView } from "./network-view.ts";
import { keptBy, pathEvidence } from "./path-evidence.ts";
import type { Reach } from "./reach.ts";
import { checkReach, type ReachCheck } from "./reach-check.ts";
import type { SearchReport } from "./search-report.ts";
import type { NetworkMethod } from "./status.ts";

/** What the methods work with in one round. */
export interface Search {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: NetworkLimits;
  readonly random: () => number;
  readonly loaded: LoadedNetworkConfig;
  readonly noAutoNic: readonly string[];
  readonly reach: Reach;
  readonly sight: NetworkSight;
  readonly setup: NetworkSetup;
  readonly clients: ClientKeeper;
  readonly report: SearchReport;
  readonly guard: () => Promise<AddressGuard>;
  /** Until then an interface may get its carrier after it was set up. */
  readonly carrierUntilMs: number;
  /** Interfaces whose lease was found to lead nowhere in this round already. */
  readonly tested: Set<string>;
  readonly signal: AbortSignal;
  /** Shows what is waited for, one line in plain words. */
  readonly say: (text: string) => void;
  /**
   * True: this looks at a network that was good before. One that still works counts as good although
   * no controller is reached.
   */
  readonly isProven?: boolean;
  /** Keeps what each target answered. */
  readonly onReach: (check: ReachCheck) => void;
}

/** What a method that worked ended with. */
export interface MethodSuccess {
  readonly choice: NetworkChoice;
  /** One line: "eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2". */
  readonly text: string;
}

/** Limit of one DHCP answer in milliseconds. */
export function dhcpLimitMs({ limits, loaded }: Search): number {
  return limits.dhcpMs ?? loaded.config.dhcpLimitSeconds * 1000;
}

export function rolesOf(search: Search, view: NetworkView): InterfaceRoles {
  return interfaceRoles(view, search.loaded.config, search.noAutoNic);
}

/** Asks the targets, or looks at the default route, and shows that it does. */
export async function check(
  search: Search,
  where: { readonly interface?: string; readonly address?: string },
): Promise<ReachCheck> {
  const { reach, sight, limits, signal } = search;
  const outcome = await checkReach({ reach, sight, limitMs: limits.reachMs, signal, ...where });
  signal.throwIfAborted();
  search.onReach(outcome);
  if (outcome.isReached || search.isProven !== true) return outcome;
  const { guard } = search;
  const evidence = await pathEvidence({ check: outcome, view: sight.look(), guard, signal });
  return evidence === undefined ? outcome : keptBy(outcome, evidence);
}

/** Writes down how a method ended on one interface. */
export function record(
  search: Search,
  name: string,
  method: NetworkMethod,
  outcome: { readonly isReached: boolean; readonly reason: string },
): void {
  const endMs = Math.round(search.clock.monotonicMs());
  search.report.add(name, { method, ...outcome, endMs });
}

/** "the controller reached", or why a network without one is kept. */
export function reachedWords(search: Search, { reason, results }: ReachCheck): string {
  const isKept = results.length > 0 && results.every(({ isReached }) => !isReached);
  return isKept ? reason : `${targetName(search)} reached`;
}

/** Name for people: "controllers", or what stands in for them. */
export function targetName({ reach }: Search): string {
  if (reach.controllers > 0) return reach.controllers === 1 ? "the controller" : "a controller";
  return reach.probes > 0 ? "a probe" : "a default route";
}

/** The views of some roles. */
export function viewsOf(roles: readonly InterfaceRole[]): InterfaceRole["view"][] {
  return roles.map(({ view }) => view);
}
