import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { sleep } from "../sequencer/wait.ts";
import type { ClientKeeper } from "./client-keeper.ts";
import type { FallbackKeeper } from "./fallback-keeper.ts";
import type { InterfaceRole } from "./interface-roles.ts";
import { judgeNetwork, type NetworkBasis } from "./judge-network.ts";
import type { NetworkLimits } from "./network-limits.ts";
import type { NetworkSetup } from "./network-setup.ts";
import type { NetworkSight } from "./network-sight.ts";
import type { NetworkView } from "./network-view.ts";
import type { ReachCheck } from "./reach-check.ts";

export interface LossWatchParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: NetworkLimits;
  readonly sight: NetworkSight;
  readonly setup: NetworkSetup;
  readonly clients: ClientKeeper;
  readonly fallback: FallbackKeeper;
  readonly basis: () => NetworkBasis;
  readonly roles: (view: NetworkView) => readonly InterfaceRole[];
  /** Asks the targets again; undefined where there are none. */
  readonly check: (signal: AbortSignal) => Promise<ReachCheck | undefined>;
  /** Takes another fallback address after one was lost; false when that is not possible. */
  readonly moveFallback: (signal: AbortSignal) => Promise<boolean>;
  /** Called after each look. */
  readonly onLook: (view: NetworkView) => void;
}

/** How a network ended. */
export interface NetworkLoss {
  readonly reason: string;
  /** The interface works and leads nowhere: the next search does not begin with it. */
  readonly isUnreached: boolean;
}

/**
 * Looks after a network that is up: sets again what somebody took away, follows its leases, and ends
 * when it does not carry any more.
 *
 * @throws the reason of the signal when aborted.
 */
export async function watchForLoss(
  parts: LossWatchParts,
  signal: AbortSignal,
): Promise<NetworkLoss> {
  const { clock, limits, sight, fallback } = parts;
  const upMs = clock.monotonicMs();
  const checks = new CheckSchedule(parts, upMs);
  let darkSinceMs: number | undefined;
  for (;;) {
    const isSettling = clock.monotonicMs() - upMs < limits.eventsAfterUpMs;
    if (!isSettling) await sight.open();
    const view = sight.look();
    await keepClients(parts, view);
    if (fallback.lostTo !== undefined && !(await parts.moveFallback(signal))) {
      return { reason: `the fallback address was lost to ${fallback.lostTo}`, isUnreached: true };
    }
    await setUpAgain(parts);
    const current = sight.look();
    parts.onLook(current);
    const verdict = judgeNetwork(parts.basis(), current, parts.roles(current));
    const nowMs = clock.monotonicMs();
    if (verdict.state === "lost") return { reason: verdict.reason, isUnreached: false };
    if (verdict.state === "dark") {
      darkSinceMs ??= nowMs;
      if (nowMs - darkSinceMs >= limits.carrierLostMs) {
        return { reason: verdict.reason, isUnreached: false };
      }
    } else {
      darkSinceMs = undefined;
      const unreached = await checks.runIfDue(signal);
      if (unreached !== undefined) return { reason: unreached, isUnreached: true };
    }
    const waits = [limits.clientsMs, checks.dueMs - nowMs];
    if (darkSinceMs !== undefined) waits.push(darkSinceMs + limits.carrierLostMs - nowMs);
    if (isSettling) waits.push(upMs + limits.eventsAfterUpMs - nowMs);
    const waitMs = Math.max(1, Math.min(...waits));
    await sight.next(waitMs, signal, isSettling ? limits.lookMs : undefined);
    await pause(parts, nowMs, signal);
  }
}

/** What the kernel refuses now it may take later: the judgement below decides whether that is a loss. */
async function setUpAgain({ setup, log }: LossWatchParts): Promise<void> {
  try {
    await setup.reconcile();
  } catch (error) {
    log.warn("network cannot be set up again", { cause: errorText(error) });
  }
}

/** The checks of the controllers that go on while the network is up. */
class CheckSchedule {
  readonly #parts: LossWatchParts;
  #dueMs: number;
  #failures = 0;

  constructor(parts: LossWatchParts, nowMs: number) {
    this.#parts = parts;
    this.#dueMs = nowMs + parts.limits.checkMs;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** Reason of the loss after too many failures in a row; undefined while it is fine. */
  async runIfDue(signal: AbortSignal): Promise<string | undefined> {
    const { clock, limits, check } = this.#parts;
    if (clock.monotonicMs() < this.#dueMs) return undefined;
    const outcome = await check(signal);
    this.#dueMs = clock.monotonicMs() + limits.checkMs;
    if (outcome === undefined || outcome.isReached) {
      this.#failures = 0;
      return undefined;
    }
    this.#failures += 1;
    return this.#failures < limits.checkFailures ? undefined : outcome.reason;
  }
}

/** Clients that are needed are those net.toml asks for and the one of the interface in use. */
async function keepClients(parts: LossWatchParts, view: NetworkView): Promise<void> {
  const { choice } = parts.basis();
  const chosen = choice.method === "dhcp" ? choice.interface : undefined;
  const needed = parts
    .roles(view)
    .filter(({ view: one, wantsDhcp }) => wantsDhcp || one.name === chosen)
    .map(({ view: one }) => one);
  await parts.clients.keep(needed);
}

/** Setting up again and again what somebody else takes away again and again must not take the machine. */
async function pause(
  { clock, limits }: LossWatchParts,
  lastMs: number,
  signal: AbortSignal,
): Promise<void> {
  const restMs = lastMs + limits.reconcileMs - clock.monotonicMs();
  if (restMs > 0) await sleep(clock, restMs, signal);
}
