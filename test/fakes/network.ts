import type { DhcpClients } from "../../src/network/dhcp-clients.ts";
import { type Lease, parseLease } from "../../src/network/lease.ts";
import type { DefaultRoute, Link, Links } from "../../src/sys/links.ts";

/** A link as it is after power-on; `over` says what differs. */
export function fakeLink(name: string, over: Partial<Link> = {}): Link {
  return {
    name,
    index: Number(name.replaceAll(/\D/g, "")) + 2,
    mac: "52:54:00:12:34:56",
    isPhysical: true,
    isUp: false,
    hasCarrier: false,
    ...over,
  };
}

/** Links whose cables a test plugs; carrier shows only on links that are up. */
export class FakeLinks implements Links {
  readonly #links = new Map<string, Link>();
  readonly plugged = new Set<string>();
  /** Names `setUp` was called with. */
  readonly setUpCalls: string[] = [];
  readonly failing = new Set<string>();
  routes: DefaultRoute[] = [];

  add(link: Link): void {
    this.#links.set(link.name, link);
  }

  list(): Link[] {
    return [...this.#links.values()].map((link) => ({
      ...link,
      hasCarrier: link.isUp && this.plugged.has(link.name),
    }));
  }

  setUp(name: string): void {
    this.setUpCalls.push(name);
    if (this.failing.has(name)) throw new Error("EBUSY");
    const link = this.#links.get(name);
    if (link !== undefined) this.#links.set(name, { ...link, isUp: true });
  }

  defaultRoutes(): DefaultRoute[] {
    return this.routes;
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

  /** The server answers. @param lease Members of the lease file beside address and prefix. */
  answer(interfaceName: string, address: string, lease: Record<string, string> = {}): void {
    const fields = { interface: interfaceName, address, prefix: "24", ...lease, end: "1" };
    const lines = Object.entries(fields).map(([key, value]) => `${key}=${value}\n`);
    this.leases.set(interfaceName, lines.join(""));
    for (const listener of this.#listeners) listener();
  }
}
