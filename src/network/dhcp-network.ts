import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { PhaseContext } from "../sequencer/phase.ts";
import { orAborted, sleep } from "../sequencer/wait.ts";
import type { Files } from "../sys/files.ts";
import type { DefaultRoute, Links } from "../sys/links.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import {
  describeReached,
  describeTrouble,
  describeWaiting,
  type InterfaceView,
  type NetworkPolicy,
  selectLinks,
  usableRoute,
} from "./interface-view.ts";
import { type Lease, parseLease } from "./lease.ts";
import type { Probe } from "./probe.ts";
import { buildResolvConf } from "./resolv-conf.ts";

export interface DhcpNetworkOptions extends NetworkPolicy {
  readonly clock: Clock;
  readonly files: Files;
  readonly links: Links;
  readonly dhcp: DhcpClients;
  readonly log: Logger;
  readonly probe: Probe;
  /** One of these must accept a TCP connection; none: a usable default route is enough. */
  readonly probes: readonly { readonly host: string; readonly port: number }[];
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** Default {@link NETWORK_LIMITS}. */
  readonly limits?: typeof NETWORK_LIMITS;
}

/** How long one attempt waits, in milliseconds. */
export const NETWORK_LIMITS = {
  /** Auto-negotiation of copper ports takes up to this long after "up". */
  carrierMs: 3000,
  dhcpMs: 15_000,
  probeMs: 3000,
  /** Between two looks while something is expected any moment. */
  quickLookMs: 100,
  lookMs: 1000,
};

/** A client that ends at once must not be restarted in a tight loop. */
const RESTART_MS = 1000;

/**
 * The simple network of a stand-alone node: DHCP on every interface with carrier, all at the same
 * time; reached when a default route is usable and, where probes are configured, one of them answers.
 */
export class DhcpNetwork {
  readonly #options: DhcpNetworkOptions;
  readonly #limits: typeof NETWORK_LIMITS;
  readonly #startedMs = new Map<string, number>();
  readonly #hadCarrier = new Set<string>();
  readonly #sleepers = new Set<() => void>();
  #stopWatching: (() => void) | undefined;
  #resolvConf = "";

  constructor(options: DhcpNetworkOptions) {
    this.#options = options;
    this.#limits = options.limits ?? NETWORK_LIMITS;
  }

  /** One attempt of the `network` phase. Resolves with what was reached, throws what is missing. */
  async bringUp(context: PhaseContext): Promise<string> {
    const beginMs = this.#options.clock.monotonicMs();
    for (;;) {
      const views = await this.#look();
      const route = usableRoute(views, this.#options.links.defaultRoutes());
      const waitedMs = this.#options.clock.monotonicMs() - beginMs;
      // The hook sets the route a moment before it writes the lease down; a route that is nobody's
      // lease (set by the kernel's own ip= for example) counts after a while.
      const isExplained = views.some(({ lease }) => lease?.interface === route?.interface);
      if (route !== undefined && (isExplained || waitedMs >= this.#limits.carrierMs)) {
        this.#writeResolvConf(views, route);
        await this.#reach(context);
        return describeReached(views, route);
      }
      const isAsking = views.some(({ link }) => link.hasCarrier);
      if (waitedMs >= (isAsking ? this.#limits.dhcpMs : this.#limits.carrierMs)) {
        throw this.#trouble(views);
      }
      // Later on, why the last attempt failed says more than what this one waits for.
      if (context.attempt === 1) context.setReason(describeWaiting(views));
      await this.#nextLook(this.#limits.quickLookMs, context.signal);
    }
  }

  /** Resolves when carrier, leases or interfaces are not what they were. */
  async changed(signal: AbortSignal): Promise<void> {
    const before = this.#fingerprint();
    while (this.#fingerprint() === before) await this.#nextLook(this.#limits.lookMs, signal);
  }

  /** Looks after clients and name servers, and reports when there is no usable route any more. */
  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    this.#watchUntilLost(lost, signal).catch((error: unknown) => {
      if (!signal.aborted) lost(errorText(error));
    });
  }

  /** Leases in force, for whoever shows addresses. */
  leases(): Lease[] {
    return this.#views().flatMap(({ lease }) => lease ?? []);
  }

  /** Ends the watch on lease files. Clients go on: they belong to the machine. */
  close(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  async #watchUntilLost(lost: (reason: string) => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#nextLook(this.#limits.lookMs, signal);
      const views = await this.#look();
      const route = usableRoute(views, this.#options.links.defaultRoutes());
      if (route === undefined) {
        lost(describeTrouble(views, this.#options.clock.monotonicMs()));
        return;
      }
      this.#writeResolvConf(views, route);
    }
  }

  /** Sets links up and starts clients where they are missing, then says what there is. */
  async #look(): Promise<InterfaceView[]> {
    for (const { link } of this.#views()) {
      if (!link.isUp) this.#setUp(link.name);
    }
    const views = this.#views();
    for (const { link } of views) {
      if (!link.hasCarrier) this.#hadCarrier.delete(link.name);
      else await this.#ensureClient(link.name);
    }
    return this.#views();
  }

  #views(): InterfaceView[] {
    const { links, dhcp } = this.#options;
    return selectLinks(links.list(), this.#options).map((link) => ({
      link,
      lease: parseLease(dhcp.leaseText(link.name) ?? ""),
      askingSinceMs: this.#startedMs.get(link.name) ?? null,
    }));
  }

  #setUp(name: string): void {
    try {
      this.#options.links.setUp(name);
    } catch (error) {
      this.#options.log.warn("interface cannot be set up", {
        interface: name,
        cause: errorText(error),
      });
    }
  }

  async #ensureClient(name: string): Promise<void> {
    const { clock, dhcp } = this.#options;
    const isNew = !this.#hadCarrier.has(name);
    this.#hadCarrier.add(name);
    const nowMs = clock.monotonicMs();
    const startedMs = this.#startedMs.get(name);
    if (dhcp.isRunning(name)) {
      // The cable may now lead somewhere else: an old lease is worth nothing there.
      if (isNew && startedMs !== undefined) dhcp.renew(name);
      if (startedMs === undefined) this.#startedMs.set(name, nowMs);
      return;
    }
    if (startedMs !== undefined && nowMs - startedMs < RESTART_MS) return;
    this.#startedMs.set(name, nowMs);
    await dhcp.start(name);
  }

  async #reach(context: PhaseContext): Promise<void> {
    const { probes, probe } = this.#options;
    if (probes.length === 0) return;
    const names = probes.map(({ host, port }) => `${host}:${port}`).join(", ");
    if (context.attempt === 1) context.setReason(`waiting for an answer from ${names}`);
    const tries = probes.map((target) => probe(target, this.#limits.probeMs));
    const answers = await orAborted(Promise.all(tries), context.signal);
    if (!answers.includes(true)) {
      throw new AgentError("E_NETWORK_PROBE", `no answer from ${names}`);
    }
  }

  /** A read-only /etc costs name resolution, not the network. */
  #writeResolvConf(views: readonly InterfaceView[], route: DefaultRoute): void {
    const leases = views.flatMap(({ lease }) => lease ?? []);
    const first = leases.filter((lease) => lease.interface === route.interface);
    const text = buildResolvConf([...first, ...leases]);
    if (text === "" || text === this.#resolvConf) return;
    this.#resolvConf = text;
    const path = this.#options.resolvConf ?? "/etc/resolv.conf";
    try {
      this.#options.files.writeText(path, text);
    } catch (error) {
      this.#options.log.warn("name servers cannot be written", { path, cause: errorText(error) });
    }
  }

  #trouble(views: readonly InterfaceView[]): AgentError {
    const { clock, links } = this.#options;
    const isLeftAlone = views.length === 0 && links.list().some(({ isPhysical }) => isPhysical);
    const text = isLeftAlone
      ? "noautonic= names every network interface"
      : describeTrouble(views, clock.monotonicMs());
    return new AgentError("E_NETWORK_UNREACHED", text);
  }

  #fingerprint(): string {
    const views = this.#views().map(({ link, lease }) => [link.name, link.hasCarrier, lease]);
    return JSON.stringify([views, this.#options.links.defaultRoutes()]);
  }

  /** Until the delay is over or a lease changed, whichever is first. */
  async #nextLook(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock, dhcp } = this.#options;
    this.#stopWatching ??= dhcp.onChange(() => {
      for (const wake of this.#sleepers) wake();
    });
    const waiting = new AbortController();
    const leaseChanged = Promise.withResolvers<void>();
    this.#sleepers.add(leaseChanged.resolve);
    try {
      const either = AbortSignal.any([signal, waiting.signal]);
      await Promise.race([sleep(clock, delayMs, either), leaseChanged.promise]);
    } finally {
      this.#sleepers.delete(leaseChanged.resolve);
      waiting.abort();
    }
  }
}
