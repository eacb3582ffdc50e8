import type { DhcpClients } from "../../src/network/dhcp-clients.ts";
import { type Lease, parseLease } from "../../src/network/lease.ts";
import type { DefaultRoute, Link, Links } from "../../src/sys/links.ts";
import type { FakeKernelNetwork } from "./kernel-network.ts";

/** The cheap looks at the links of a kernel in memory. */
export class FakeLinks implements Links {
  readonly #kernel: FakeKernelNetwork;
  /** Names `setUp` was called with. */
  readonly setUpCalls: string[] = [];
  readonly failing = new Set<string>();
  /** Number of times somebody looked. */
  looks = 0;

  constructor(kernel: FakeKernelNetwork) {
    this.#kernel = kernel;
  }

  list(): Link[] {
    this.looks += 1;
    const { links } = this.#kernel.observe();
    return links
      .filter(({ isLoopback }) => !isLoopback)
      .map(({ name, index, mac, kind, isUp, hasCarrier }) => {
        return { name, index, mac, isPhysical: kind === "device", isUp, hasCarrier };
      });
  }

  setUp(name: string): void {
    this.setUpCalls.push(name);
    if (this.failing.has(name)) throw new Error("EBUSY");
    this.#kernel.apply({ op: "link.set", name, isUp: true });
  }

  defaultRoutes(): DefaultRoute[] {
    return this.#kernel.routes
      .filter(({ destination }) => destination === "0.0.0.0/0")
      .sort((one, other) => one.metric - other.metric)
      .map(({ interface: name, gateway, metric }) => {
        return { interface: name, gateway: gateway ?? "0.0.0.0", metric };
      });
  }
}

/** DHCP clients that get what a test gives them. */
export class FakeDhcp implements DhcpClients {
  readonly running = new Set<string>();
  readonly starts: string[] = [];
  readonly stops: string[] = [];
  readonly inUse = new Map<string, number>();
  readonly renewals: string[] = [];
  readonly leases = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  isRunning(interfaceName: string): boolean {
    return this.running.has(interfaceName);
  }

  async start(interfaceName: string): Promise<void> {
    this.starts.push(interfaceName);
    this.running.add(interfaceName);
  }

  renew(interfaceName: string): void {
    this.renewals.push(interfaceName);
  }

  async stop(interfaceName: string): Promise<void> {
    this.stops.push(interfaceName);
    this.running.delete(interfaceName);
    this.leases.delete(interfaceName);
    this.inUse.delete(interfaceName);
  }

  lease(interfaceName: string): Lease | undefined {
    return parseLease(this.leases.get(interfaceName) ?? "");
  }

  setInUse(interfaceName: string, metric: number | null): void {
    if (metric === null) this.inUse.delete(interfaceName);
    else this.inUse.set(interfaceName, metric);
  }

  inUseMetric(interfaceName: string): number | null {
    return this.inUse.get(interfaceName) ?? null;
  }

  leaseText(interfaceName: string): string | undefined {
    return this.leases.get(interfaceName);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The lease ends. */
  end(interfaceName: string): void {
    this.leases.delete(interfaceName);
    for (const listener of [...this.#listeners]) listener();
  }

  /** The server answers. @param lease Members of the lease file beside address and prefix. */
  answer(interfaceName: string, address: string, lease: Record<string, string> = {}): void {
    const fields = { interface: interfaceName, address, prefix: "24", ...lease, end: "1" };
    const lines = Object.entries(fields).map(([key, value]) => `${key}=${value}\n`);
    this.leases.set(interfaceName, lines.join(""));
    for (const listener of this.#listeners) listener();
  }
}
