import { errorText } from "../base/errors.ts";
import { DEFAULT_NETWORK_CONFIG, type NetworkConfig } from "../config/network-types.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import type { Links } from "../sys/links.ts";
import type { LinkState } from "../sys/network-state.ts";
import { type ApplyNetworkOptions, applyNetwork } from "./apply.ts";
import { buildDesiredNetwork, type LeaseInUse } from "./build-desired.ts";
import type { DesiredDns, DesiredNetwork } from "./desired.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import { hasInterfaceConfig, type InterfaceRole, interfaceRoles } from "./interface-roles.ts";
import type { NetworkSight } from "./network-sight.ts";
import type { InterfaceView, NetworkView } from "./network-view.ts";
import { formatResolvConf } from "./resolv-conf.ts";

export interface NetworkSetupOptions {
  readonly files: Files;
  readonly log: Logger;
  readonly links: Links;
  readonly dhcp: DhcpClients;
  readonly sight: NetworkSight;
  readonly noAutoNic: readonly string[];
  readonly resolvConf: string;
  /** What the agent made, for the next one; default that of {@link applyNetwork}. */
  readonly madeFile?: string | undefined;
  readonly loadModule?: ApplyNetworkOptions["loadModule"] | undefined;
}

/** Host address of the third method. */
export interface Fallback {
  readonly interface: string;
  readonly address: string;
}

/** Base of the metrics of default routes that DHCP brought; the index of the interface is added. */
const DHCP_METRIC = 1000;
const LINKDOWN_SETTINGS = [
  "/proc/sys/net/ipv4/conf/all/ignore_routes_with_linkdown",
  "/proc/sys/net/ipv6/conf/all/ignore_routes_with_linkdown",
];

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
  #busy: Promise<void> = Promise.resolve();

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

  /** Sets up what is desired now; does nothing where it is so already. One at a time. */
  reconcile(): Promise<void> {
    const next = this.#busy.then(() => this.#reconcile());
    this.#busy = next.catch(() => {});
    return next;
  }

  async #reconcile(): Promise<void> {
    const view = this.#options.sight.peek();
    const roles = this.#roles(view);
    const marks = this.#marks(view, roles);
    const isMarked = this.#syncMarks(marks, roles);
    if (isMarked || !this.#stands(view, marks)) await this.#apply(marks, view, roles);
    else this.#dns = this.#build({ view, links: [], roles, marks }).dns;
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

  async #apply(
    marks: ReadonlyMap<string, number>,
    view: NetworkView,
    roles: readonly InterfaceRole[],
  ): Promise<void> {
    const { sight, files, log, madeFile, loadModule } = this.#options;
    this.#ignoreDeadRoutes();
    const { problems } = await applyNetwork({
      kernel: await sight.kernel(),
      files,
      log,
      desired: ({ links }) => {
        const desired = this.#build({ view, links, roles, marks });
        this.#dns = desired.dns;
        return desired;
      },
      leased: view.interfaces.flatMap(({ name, lease }) =>
        lease === undefined
          ? []
          : [{ interface: name, address: lease.address, prefix: lease.prefix }],
      ),
      ...(madeFile === undefined ? {} : { stateFile: madeFile }),
      ...(loadModule === undefined ? {} : { loadModule }),
    });
    const text = problems.join("; ");
    if (text !== this.#problems && text !== "") log.warn("network is not as desired", { problems });
    this.#problems = text;
  }

  #build(parts: {
    readonly view: NetworkView;
    readonly links: readonly LinkState[];
    readonly roles: readonly InterfaceRole[];
    readonly marks: ReadonlyMap<string, number>;
  }): DesiredNetwork {
    const { view, links, roles, marks } = parts;
    const candidates = new Set(
      roles.filter(({ isCandidate }) => isCandidate).map((role) => role.view.name),
    );
    const leases = view.interfaces.flatMap(({ name, lease }): [string, LeaseInUse][] => {
      const metric = marks.get(name);
      return lease === undefined || metric === undefined ? [] : [[name, { lease, metric }]];
    });
    return buildDesiredNetwork({
      config: this.#config,
      links,
      noAutoNic: this.#options.noAutoNic,
      isCandidate: ({ name }) => candidates.has(name),
      leases: new Map(leases),
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
    const links = view.state?.links ?? [];
    const others = this.#build({ view, links, roles, marks }).routes.filter(
      (route) => route.destination === "0.0.0.0/0" && route.interface !== candidate.name,
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

  /**
   * Routes outlive carrier. Without this the kernel prefers one over a pulled cable to one that works.
   * Source: ip-sysctl, ignore_routes_with_linkdown.
   */
  #ignoreDeadRoutes(): void {
    const { files, log } = this.#options;
    for (const path of LINKDOWN_SETTINGS) {
      if (files.readText(path)?.trim() !== "0") continue;
      try {
        files.writeText(path, "1");
      } catch (error) {
        log.warn("kernel setting cannot be changed", { path, cause: errorText(error) });
      }
    }
  }

  /** A read-only /etc costs name resolution, not the network. */
  #writeResolvConf(): void {
    const { files, log, resolvConf: path } = this.#options;
    const text = formatResolvConf(this.#dns);
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
