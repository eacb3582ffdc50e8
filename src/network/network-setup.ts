import { errorText } from "../base/errors.ts";
import { DEFAULT_NETWORK_CONFIG, type NetworkConfig } from "../config/network-types.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import type { Links } from "../sys/links.ts";
import type { KernelNetwork } from "../sys/network-state.ts";
import type { DesiredDns, DesiredNetwork } from "./desired.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import { hasInterfaceConfig, type InterfaceRole, interfaceRoles } from "./interface-roles.ts";
import type { Lease } from "./lease.ts";
import type { NetworkSight } from "./network-sight.ts";
import type { InterfaceView, NetworkView } from "./network-view.ts";

export interface NetworkSetupOptions {
  readonly files: Files;
  readonly log: Logger;
  readonly links: Links;
  readonly dhcp: DhcpClients;
  readonly sight: NetworkSight;
  readonly noAutoNic: readonly string[];
  readonly resolvConf: string;
  readonly tools: SetupTools;
}

export interface SetupTools {
  build(input: {
    readonly config: NetworkConfig;
    readonly view: NetworkView;
    readonly leases: readonly { readonly lease: Lease; readonly metric: number }[];
    readonly fallback: Fallback | null;
  }): DesiredNetwork;
  apply(desired: DesiredNetwork, kernel: KernelNetwork): Promise<readonly string[]>;
  resolvConf(dns: DesiredDns): string;
}

/** Host address of the third method. */
export interface Fallback {
  readonly interface: string;
  readonly address: string;
}

/** Base of the metrics of default routes that DHCP brought; the index of the interface is added. */
const DHCP_METRIC = 1000;

/**
 * The one network that is desired at each moment: what net.toml says, and on top the lease or the
 * fallback address that is used or tested. Setting it up again changes nothing that is right already.
 */
export class NetworkSetup {
  readonly #options: NetworkSetupOptions;
  #config: NetworkConfig = DEFAULT_NETWORK_CONFIG;
  #candidate: string | null = null;
  #fallback: Fallback | null = null;
  #dns: DesiredDns = { servers: [], search: [] };
  #resolvConf: string | undefined;
  /** Problems of the last time, so that each is logged once. */
  #problems = "";

  constructor(options: NetworkSetupOptions) {
    this.#options = options;
  }

  set config(config: NetworkConfig) {
    this.#config = config;
  }

  /** The interface of the second method whose lease is in use; null without one. */
  get candidate(): string | null {
    return this.#candidate;
  }

  /** Name servers in force. */
  get dns(): DesiredDns {
    return this.#dns;
  }

  /** Metric under which the lease of an interface is in use; null where it is not. */
  markOf(name: string): number | null {
    return this.#options.dhcp.inUseMetric(name);
  }

  /** Sets links up. One that cannot be set up is logged and does not hold up the others. @returns true when any was down. */
  setUp(views: readonly InterfaceView[]): boolean {
    const down = views.filter(({ isUp }) => !isUp);
    for (const { name } of down) {
      try {
        this.#options.links.setUp(name);
      } catch (error) {
        this.#options.log.warn("interface cannot be set up", {
          interface: name,
          cause: errorText(error),
        });
      }
    }
    return down.length > 0;
  }

  /** Uses the lease of one interface beside what net.toml says; null: of none. */
  async use(name: string | null): Promise<void> {
    this.#candidate = name;
    this.#fallback = null;
    await this.reconcile();
  }

  async useFallback(fallback: Fallback | null): Promise<void> {
    this.#candidate = null;
    this.#fallback = fallback;
    await this.reconcile();
  }

  /** Sets up what is desired now; does nothing where it is so already. */
  async reconcile(): Promise<void> {
    const { sight } = this.#options;
    const view = sight.peek();
    const roles = this.#roles(view);
    const marks = this.#marks(view, roles);
    const isMarked = this.#syncMarks(marks, roles);
    if (isMarked || !this.#stands(view, marks)) await this.#apply(marks);
    else this.#dns = this.#build(view, marks).dns;
    this.#writeResolvConf();
  }

  /**
   * True when a cheap look shows that a client of the machine's start has set up the only lease that is
   * used: then nothing has to be loaded to see that nothing is to be done.
   */
  #stands(view: NetworkView, marks: ReadonlyMap<string, number>): boolean {
    if (view.state !== undefined || hasInterfaceConfig(this.#config)) return false;
    if (this.#fallback !== null || marks.size !== 1) return false;
    return [...marks].every(([name, metric]) => {
      const lease = view.interfaces.find((one) => one.name === name)?.lease;
      const isPlain = lease !== undefined && lease.routes.length === 0 && lease.mtu === null;
      return (
        isPlain &&
        view.defaultRoutes.some(
          (route) =>
            route.interface === name && route.metric === metric && route.gateway === lease.gateway,
        )
      );
    });
  }

  async #apply(marks: ReadonlyMap<string, number>): Promise<void> {
    const { sight, log } = this.#options;
    const kernel = await sight.kernel();
    const desired = this.#build(sight.peek(), marks);
    const problems = await this.#options.tools.apply(desired, kernel);
    this.#dns = desired.dns;
    const text = problems.join("; ");
    if (text !== this.#problems && text !== "") log.warn("network is not as desired", { problems });
    this.#problems = text;
  }

  #build(view: NetworkView, marks: ReadonlyMap<string, number>): DesiredNetwork {
    const leases = view.interfaces.flatMap(({ name, lease }) => {
      const metric = marks.get(name);
      return lease === undefined || metric === undefined ? [] : [{ lease, metric }];
    });
    return this.#options.tools.build({
      config: this.#config,
      view,
      leases,
      fallback: this.#fallback,
    });
  }

  /** Interface to metric, for each lease that is to be in use. */
  #marks(view: NetworkView, roles: readonly InterfaceRole[]): Map<string, number> {
    const marks = new Map<string, number>();
    for (const { view: one, wantsDhcp } of roles) {
      if (wantsDhcp && one.name !== this.#candidate) marks.set(one.name, DHCP_METRIC + one.index);
    }
    const candidate = view.interfaces.find(({ name }) => name === this.#candidate);
    if (candidate === undefined) return marks;
    const own = DHCP_METRIC + candidate.index;
    const others = this.#build(view, marks).routes.filter(
      ({ destination }) => destination === "0.0.0.0/0",
    );
    const lowest = Math.min(own + 1, ...others.map(({ metric }) => metric));
    // A gateway that leads nowhere must not win against the lease under test.
    return marks.set(candidate.name, lowest <= own ? Math.max(1, lowest - 1) : own);
  }

  /** @returns true when any mark changed. */
  #syncMarks(marks: ReadonlyMap<string, number>, roles: readonly InterfaceRole[]): boolean {
    const { dhcp } = this.#options;
    let hasChanged = false;
    for (const { view, protocol } of roles) {
      if (protocol === "left alone") continue;
      const wanted = marks.get(view.name) ?? null;
      if (dhcp.inUseMetric(view.name) === wanted) continue;
      dhcp.setInUse(view.name, wanted);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** A read-only /etc costs name resolution, not the network. */
  #writeResolvConf(): void {
    const { files, log, resolvConf: path, tools } = this.#options;
    const text = tools.resolvConf(this.#dns);
    if (text === this.#resolvConf) return;
    this.#resolvConf = text;
    try {
      if (files.readText(path) !== text) files.writeText(path, text);
    } catch (error) {
      log.warn("name servers cannot be written", { path, cause: errorText(error) });
    }
  }

  #roles(view: NetworkView): readonly InterfaceRole[] {
    return interfaceRoles(view, this.#config, this.#options.noAutoNic).roles;
  }
}
