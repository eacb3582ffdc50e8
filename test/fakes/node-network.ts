import { DEFAULT_NETWORK_CONFIG, type NetworkConfig } from "../../src/config/network-types.ts";
import type { AddressGuard } from "../../src/network/address-guard.ts";
import { NodeNetwork, type NodeNetworkOptions } from "../../src/network/node-network.ts";
import type { Reach, ReachRequest, ReachResult } from "../../src/network/reach.ts";
import { type NetworkEvents, NODE0_PROTOCOL } from "../../src/sys/network-state.ts";
import { FakeClock } from "./clock.ts";
import { FakeKernelNetwork } from "./kernel-network.ts";
import { MemoryFiles } from "./memory-files.ts";
import { FakeDhcp, FakeLinks } from "./network.ts";
import { QuietLog } from "./quiet-log.ts";
import { settle } from "./turns.ts";

const STEP_MS = 50;
export const CONTROLLER = { url: "https://controller.example", ca: "/ca.pem" };

/** A node whose network is all in memory. A test plugs cables, gives leases and says where controllers are. */
export class FakeNode {
  readonly clock = new FakeClock();
  readonly files = new MemoryFiles();
  readonly log = new QuietLog();
  readonly kernel = new FakeKernelNetwork();
  readonly links = new FakeLinks(this.kernel);
  readonly dhcp = new FakeDhcp();
  /** Interfaces that lead to the controllers. */
  readonly ways = new Set<string>();
  /** Fallback addresses of others. */
  readonly taken = new Set<string>();
  readonly defended: string[] = [];
  loseFallback: (mac: string) => void = () => {};
  /** Checks of the controllers so far, as the interface they went over. */
  readonly checks: string[] = [];
  kernelLoads = 0;
  readonly reasons: string[] = [];
  readonly #listeners = new Set<() => void>();
  readonly network: NodeNetwork;
  readonly stop = new AbortController();
  config: NetworkConfig = DEFAULT_NETWORK_CONFIG;
  problems: readonly string[] = [];

  constructor(over: Partial<NodeNetworkOptions> = {}) {
    this.network = this.#open(over);
  }

  /** Another agent on the same machine. */
  restart(over: Partial<NodeNetworkOptions> = {}): NodeNetwork {
    return this.#open(over);
  }

  addCards(...names: string[]): void {
    for (const name of names) this.kernel.addLink(name, { hasCarrier: false });
  }

  plug(...names: string[]): void {
    for (const name of names) this.kernel.plugged.add(name);
    this.notice();
  }

  unplug(...names: string[]): void {
    for (const name of names) this.kernel.plugged.delete(name);
    this.notice();
  }

  /** The kernel tells of a change. */
  notice(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A server gives a lease; with a mark the hook of the client sets it up. */
  give(name: string, address: string, gateway: string): void {
    const metric = this.dhcp.inUseMetric(name);
    if (metric !== null) {
      const protocol = NODE0_PROTOCOL;
      this.kernel.apply({ op: "address.add", interface: name, address, prefix: 24, protocol });
      const destination = "0.0.0.0/0";
      this.kernel.apply({
        op: "route.add",
        destination,
        gateway,
        interface: name,
        metric,
        protocol,
      });
    }
    this.dhcp.answer(name, address, { gateway, dns: gateway });
  }

  bringUp(attempt = 1, network = this.network): Promise<string> {
    return network.bringUp({
      attempt,
      signal: this.stop.signal,
      setReason: (text) => {
        if (this.reasons.at(-1) !== text) this.reasons.push(text);
      },
      progress: () => {},
    });
  }

  /** Advances in steps, so that what is woken by a timer can set the next one. */
  async pass(spanMs: number): Promise<void> {
    for (let passed = 0; passed < spanMs; passed += STEP_MS) {
      await this.turn();
      this.clock.advance(STEP_MS);
    }
    await this.turn();
  }

  async turn(): Promise<void> {
    for (let times = 0; times < TURNS; times += 1) await settle();
  }

  addresses(name: string): string[] {
    return this.kernel.addresses
      .filter((one) => one.interface === name)
      .map(({ address }) => address);
  }

  #open(over: Partial<NodeNetworkOptions>): NodeNetwork {
    const { clock, files, log, links, dhcp } = this;
    return new NodeNetwork({
      clock,
      files,
      log,
      links,
      dhcp,
      kernel: async () => {
        this.kernelLoads += 1;
        return this.kernel;
      },
      events: async () => this.#events(),
      guard: async () => this.#guard(),
      loadConfig: async () => {
        const { config, problems } = this;
        return { file: "/net.toml", isPresent: true, config, problems };
      },
      openReach: (config) => this.#reach(config),
      noAutoNic: [],
      random: () => 0,
      ...over,
    });
  }

  #events(): NetworkEvents {
    return {
      subscribe: (listener) => {
        const call = (): void => listener([]);
        this.#listeners.add(call);
        return () => this.#listeners.delete(call);
      },
    };
  }

  #guard(): AddressGuard {
    return {
      probe: async (_name, address) =>
        this.taken.has(address) ? { isFree: false, mac: "02:00:00:00:00:09" } : { isFree: true },
      defend: (_name, address, onLost) => {
        this.defended.push(address);
        this.loseFallback = onLost;
        return () => {};
      },
    };
  }

  #reach({ controllers, probes }: NetworkConfig): Reach {
    return {
      controllers: controllers.length,
      probes: probes.length,
      prepare: () => {},
      try: async ({ address }: ReachRequest): Promise<ReachResult[]> => {
        const via = address === undefined ? this.#via() : this.#viaFallback();
        this.checks.push(via);
        const isReached = this.ways.has(via);
        const reason = isReached ? "reached" : "no answer within 5 s";
        return controllers.map(({ url }) => ({ target: url, isReached, reason }));
      },
    };
  }

  /** The interface the kernel would send over. */
  #via(): string {
    const { links, routes } = this.kernel.observe();
    const alive = new Set(links.filter(({ hasCarrier }) => hasCarrier).map(({ name }) => name));
    const [best] = routes
      .filter((one) => one.destination === "0.0.0.0/0" && alive.has(one.interface))
      .sort((one, other) => one.metric - other.metric);
    return best?.interface ?? "";
  }

  #viaFallback(): string {
    const own = this.kernel.addresses.find(({ address }) => address.startsWith("10.254.254."));
    return own === undefined ? "" : `fallback ${own.interface}`;
  }
}

/** Enough for the longest chain of promises between two timers. */
const TURNS = 12;
