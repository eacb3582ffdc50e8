import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { sleep } from "../sequencer/wait.ts";
import type { Links } from "../sys/links.ts";
import type { KernelNetwork, NetworkEvents, NetworkState } from "../sys/network-state.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import type { NetworkLimits } from "./network-limits.ts";
import type { DefaultRouteView, InterfaceView, NetworkView } from "./network-view.ts";

export interface NetworkSightOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Cheap looks: /sys and /proc/net only. */
  readonly links: Links;
  readonly dhcp: DhcpClients;
  readonly kernel: () => Promise<KernelNetwork>;
  readonly events: () => Promise<NetworkEvents>;
  /** True: interfaces without a device behind them count as physical, for tests in namespaces. */
  readonly includeVirtual: boolean;
  readonly limits: NetworkLimits;
}

/** After netlink could not be used: how long looks are cheap ones before it is tried again. */
const REOPEN_MS = 30_000;
/** Kinds of links that stand for a cable in a namespace. */
const CABLE_KINDS = new Set(["", "device", "veth"]);

/**
 * Eyes of the network: what there is now, and waiting for a change. Netlink is loaded only when
 * something takes long or has to be set: on the way to the first answer of a machine it costs more
 * than all the looks together.
 */
export class NetworkSight {
  readonly #options: NetworkSightOptions;
  readonly #sleepers = new Set<() => void>();
  #kernel: KernelNetwork | undefined;
  #failedMs = Number.NEGATIVE_INFINITY;
  #hasEvents = false;
  #opening: Promise<void> | undefined;
  #waitedMs = 0;
  /** Counts changes; `#seen` is the count at the last look. */
  #generation = 0;
  #seen = 0;
  #eventWakeMs = Number.NEGATIVE_INFINITY;
  #cancelEventWake: (() => void) | undefined;
  #endLeases: (() => void) | undefined;
  #endEvents: (() => void) | undefined;

  constructor(options: NetworkSightOptions) {
    this.#options = options;
  }

  /** True while changes are told by the kernel and nothing is polled. */
  get hasEvents(): boolean {
    return this.#hasEvents;
  }

  /** What there is now. A change after this call ends the next wait at once. */
  look(): NetworkView {
    this.#seen = this.#generation;
    return this.peek();
  }

  /** The same for whoever does not wait for changes. */
  peek(): NetworkView {
    const { links, dhcp } = this.#options;
    const state = this.#observe();
    const interfaces = links.list().map((link): InterfaceView => {
      const full = state?.links.find(({ name }) => name === link.name);
      const kind = full?.kind ?? "";
      return {
        name: link.name,
        index: link.index,
        mac: link.mac,
        isPhysical: link.isPhysical || (this.#options.includeVirtual && CABLE_KINDS.has(kind)),
        isUp: link.isUp,
        hasCarrier: link.hasCarrier,
        kind,
        mtu: full?.mtu ?? 0,
        master: full?.master ?? null,
        addresses: state?.addresses.filter((address) => address.interface === link.name) ?? [],
        lease: dhcp.lease(link.name),
      };
    });
    return { interfaces, defaultRoutes: this.#defaultRoutes(state), state };
  }

  /** The kernel's network; loaded with the first use. */
  async kernel(): Promise<KernelNetwork> {
    this.#kernel ??= await this.#options.kernel();
    return this.#kernel;
  }

  /** Loads netlink and the kernel's notices. Where that fails, looks go on being cheap ones. */
  async open(): Promise<void> {
    const { clock, log } = this.#options;
    if (this.#hasEvents || clock.monotonicMs() - this.#failedMs < REOPEN_MS) return;
    this.#opening ??= this.#load()
      .catch((error: unknown) => {
        this.#failedMs = clock.monotonicMs();
        log.warn("network is polled, notices of the kernel cannot be had", {
          cause: errorText(error),
        });
      })
      .finally(() => {
        this.#opening = undefined;
      });
    await this.#opening;
  }

  /** Resolves after the delay, or earlier when something may have changed. */
  async next(delayMs: number, signal: AbortSignal, pollMs?: number): Promise<void> {
    if (this.#generation !== this.#seen) return;
    const { clock, limits } = this.#options;
    if (!this.#hasEvents && this.#waitedMs >= limits.eventsAfterMs && pollMs === undefined) {
      await this.open();
    }
    const lookMs = this.#waitedMs < limits.eventsAfterMs ? limits.quickLookMs : limits.lookMs;
    const stepMs = this.#hasEvents ? delayMs : Math.min(delayMs, pollMs ?? lookMs);
    if (!this.#hasEvents) this.#waitedMs += stepMs;
    await this.#sleep(clock, stepMs, signal);
  }

  /** Lets whoever waits look again. */
  wake(): void {
    this.#generation += 1;
    for (const wake of this.#sleepers) wake();
  }

  close(): void {
    this.#endLeases?.();
    this.#endEvents?.();
    this.#cancelEventWake?.();
    this.#cancelEventWake = undefined;
    this.#endLeases = undefined;
    this.#endEvents = undefined;
    this.#hasEvents = false;
  }

  async #load(): Promise<void> {
    await this.kernel();
    const events = await this.#options.events();
    this.#endEvents = events.subscribe(() => this.#onEvents());
    this.#hasEvents = true;
  }

  /** A link that flaps wakes whoever waits a few times a second at most. */
  #onEvents(): void {
    const { clock, limits } = this.#options;
    if (this.#cancelEventWake !== undefined) return;
    const nowMs = clock.monotonicMs();
    const dueMs = Math.max(nowMs, this.#eventWakeMs + limits.reconcileMs);
    this.#cancelEventWake = clock.after(dueMs - nowMs, () => {
      this.#cancelEventWake = undefined;
      this.#eventWakeMs = dueMs;
      this.wake();
    });
  }

  #observe(): NetworkState | undefined {
    try {
      return this.#kernel?.observe();
    } catch (error) {
      this.#options.log.warn("kernel does not show the network", { cause: errorText(error) });
      return undefined;
    }
  }

  #defaultRoutes(state: NetworkState | undefined): DefaultRouteView[] {
    if (state === undefined) {
      return this.#options.links.defaultRoutes().map((route) => ({ ...route, family: 4 }));
    }
    return state.routes
      .filter(({ destination }) => destination === "0.0.0.0/0" || destination === "::/0")
      .sort((one, other) => one.family - other.family || one.metric - other.metric);
  }

  async #sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#endLeases ??= this.#options.dhcp.onChange(() => this.wake());
    const waiting = new AbortController();
    const woken = Promise.withResolvers<void>();
    this.#sleepers.add(woken.resolve);
    try {
      const either = AbortSignal.any([signal, waiting.signal]);
      await Promise.race([sleep(clock, delayMs, either), woken.promise]);
    } finally {
      this.#sleepers.delete(woken.resolve);
      waiting.abort();
    }
  }
}
