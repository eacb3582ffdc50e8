import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import type { InterfaceView } from "./network-view.ts";

export interface ClientKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly dhcp: DhcpClients;
}

/** A client that ends at once must not be restarted in a tight loop. */
const RESTART_MS = 1000;

/** Keeps DHCP clients running where there is carrier, and remembers since when they ask and have leases. */
export class ClientKeeper {
  readonly #options: ClientKeeperOptions;
  readonly #askingSinceMs = new Map<string, number>();
  readonly #leaseSinceMs = new Map<string, number>();
  readonly #startedMs = new Map<string, number>();
  readonly #hadCarrier = new Map<string, boolean>();

  constructor(options: ClientKeeperOptions) {
    this.#options = options;
  }

  /** Waiting begins anew: clients that go on asking get their full time again. */
  beginRound(): void {
    this.#askingSinceMs.clear();
  }

  /** Starts missing clients of these interfaces and asks again where a cable came back. */
  async keep(views: readonly InterfaceView[]): Promise<void> {
    const starts = views.filter((view) => this.#needsStart(view));
    await Promise.all(starts.map(({ name }) => this.#start(name)));
    for (const { name, lease } of views) {
      if (lease === undefined) this.#leaseSinceMs.delete(name);
      else if (!this.#leaseSinceMs.has(name)) this.#leaseSinceMs.set(name, this.#now());
    }
  }

  askingSinceMs(name: string): number | null {
    return this.#askingSinceMs.get(name) ?? null;
  }

  leaseSinceMs(name: string): number | null {
    return this.#leaseSinceMs.get(name) ?? null;
  }

  /** Ends the clients of these interfaces, which gives their leases back. */
  async stop(names: readonly string[]): Promise<void> {
    const running = names.filter((name) => this.#options.dhcp.isRunning(name));
    for (const name of running) this.#forget(name);
    await Promise.all(
      running.map((name) =>
        this.#options.dhcp.stop(name).catch((error: unknown) => {
          this.#warn("DHCP client cannot be stopped", name, error);
        }),
      ),
    );
  }

  #needsStart({ name, hasCarrier }: InterfaceView): boolean {
    const { dhcp } = this.#options;
    const hadCarrier = this.#hadCarrier.get(name);
    this.#hadCarrier.set(name, hasCarrier);
    if (!hasCarrier) {
      this.#askingSinceMs.delete(name);
      return false;
    }
    if (!this.#askingSinceMs.has(name)) this.#askingSinceMs.set(name, this.#now());
    if (dhcp.isRunning(name)) {
      // The cable may now lead somewhere else, where an old lease is worth nothing.
      if (hadCarrier === false) dhcp.renew(name);
      return false;
    }
    return this.#now() - (this.#startedMs.get(name) ?? Number.NEGATIVE_INFINITY) >= RESTART_MS;
  }

  async #start(name: string): Promise<void> {
    this.#startedMs.set(name, this.#now());
    try {
      await this.#options.dhcp.start(name);
    } catch (error) {
      this.#warn("DHCP client cannot be started", name, error);
    }
  }

  #forget(name: string): void {
    this.#askingSinceMs.delete(name);
    this.#leaseSinceMs.delete(name);
    this.#startedMs.delete(name);
    this.#hadCarrier.delete(name);
  }

  #warn(message: string, name: string, error: unknown): void {
    this.#options.log.warn(message, { interface: name, cause: errorText(error) });
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
