import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { LoadedNetworkConfig, NetworkConfig } from "../config/network-types.ts";
import type { Logger } from "../log/logger.ts";
import type { PhaseContext } from "../sequencer/phase.ts";
import { sleep } from "../sequencer/wait.ts";
import type { Files } from "../sys/files.ts";
import type { Links } from "../sys/links.ts";
import type { KernelNetwork, NetworkEvents } from "../sys/network-state.ts";
import type { AddressGuard } from "./address-guard.ts";
import { CHOICE_FILE, ChoiceKeeper } from "./choice-keeper.ts";
import { ClientKeeper } from "./client-keeper.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import { FALLBACK_CONTROLLER } from "./fallback-address.ts";
import { FallbackKeeper } from "./fallback-keeper.ts";
import { type FindParts, findNetwork } from "./find-network.ts";
import { type InterfaceRoles, interfaceRoles } from "./interface-roles.ts";
import { type LossWatchParts, watchForLoss } from "./loss-watch.ts";
import { stopOtherClients } from "./method-dhcp.ts";
import { tryFallbackOn } from "./method-fallback.ts";
import { NetworkBoard } from "./network-board.ts";
import { NETWORK_LIMITS, type NetworkLimits } from "./network-limits.ts";
import { NetworkSetup, type NetworkSetupOptions } from "./network-setup.ts";
import { NetworkSight } from "./network-sight.ts";
import { type NetworkView, usableRoute } from "./network-view.ts";
import { keptBy, pathEvidence } from "./path-evidence.ts";
import type { Reach } from "./reach.ts";
import { checkReach, type ReachCheck } from "./reach-check.ts";
import type { MethodSuccess, Search } from "./search.ts";
import type { NetworkControl, NetworkStatus } from "./status.ts";

export interface NodeNetworkOptions {
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Logger;
  readonly links: Links;
  readonly dhcp: DhcpClients;
  /** Loaded when something has to be set or takes long, see {@link NetworkSight}. */
  readonly kernel: () => Promise<KernelNetwork>;
  readonly events: () => Promise<NetworkEvents>;
  /** Loaded with the first fallback address. */
  readonly guard: () => Promise<AddressGuard>;
  readonly loadConfig: () => Promise<LoadedNetworkConfig>;
  readonly openReach: (config: NetworkConfig) => Reach;
  /** Interfaces that are left alone. */
  readonly noAutoNic: readonly string[];
  /** True: also interfaces without a device behind them, for tests in namespaces. */
  readonly includeVirtual?: boolean;
  /** A number in [0, 1). */
  readonly random?: () => number;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** What was chosen, for the next agent. Default `/run/node0/network-choice.json`. */
  readonly choiceFile?: string;
  readonly madeFile?: string | undefined;
  /** Loads a kernel module before the first VLAN, bond or bridge is made. */
  readonly loadModule?: NetworkSetupOptions["loadModule"] | undefined;
  readonly limits?: Partial<NetworkLimits>;
  /** Called with the host name a DHCP server gave. */
  readonly onHostname?: (name: string) => void;
}

const RELOADED = "net.toml was read again";

/**
 * The network of the node, found by the methods of docs/network.md: what net.toml says, then DHCP on
 * one interface after the other, then a fallback address, for ever. Looks after what it found.
 */
export class NodeNetwork implements NetworkControl {
  readonly #options: NodeNetworkOptions;
  readonly #limits: NetworkLimits;
  readonly #sight: NetworkSight;
  readonly #setup: NetworkSetup;
  readonly #clients: ClientKeeper;
  readonly #fallback: FallbackKeeper;
  readonly #board: NetworkBoard;
  readonly #choices: ChoiceKeeper;
  #reach: Reach | undefined;
  /** The choice is not worth another look before the search. */
  #isSuspect = false;
  #carrierUntilMs: number | undefined;
  #roundMs = Number.NEGATIVE_INFINITY;
  /** What the interfaces looked like when a round had ended without success. */
  #endView = "";
  #hostname = "";
  /** Ends the round or the watch under way. */
  #interrupt: ((reason: string) => void) | undefined;
  /** The next round is worth while whatever the interfaces look like. */
  #isRoundDue = false;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    this.#limits = { ...NETWORK_LIMITS, ...options.limits };
    const { includeVirtual = false, resolvConf = "/etc/resolv.conf" } = options;
    this.#sight = new NetworkSight({ ...options, includeVirtual, limits: this.#limits });
    this.#setup = new NetworkSetup({ ...options, resolvConf, sight: this.#sight });
    this.#clients = new ClientKeeper(options);
    this.#fallback = new FallbackKeeper(options.log, () => this.#sight.wake());
    this.#board = new NetworkBoard(() => options.clock.monotonicMs());
    const { files, log, choiceFile: path = CHOICE_FILE } = options;
    this.#choices = new ChoiceKeeper({ files, log, path });
  }

  /** One round of the methods. Resolves with what was reached, throws what was tried where. */
  async bringUp(context: PhaseContext): Promise<string> {
    const round = new AbortController();
    const signal = AbortSignal.any([context.signal, round.signal]);
    this.#interrupt = (reason) => round.abort(new AgentError("E_NETWORK_RELOADED", reason));
    const nowMs = this.#options.clock.monotonicMs();
    this.#roundMs = nowMs;
    if (this.#reach === undefined) {
      this.#use(await this.#options.loadConfig());
      // Not before the clients ask: what is loaded then is loaded while they wait for an answer.
      this.#options.clock.after(PREPARE_MS, () => this.#reach?.prepare());
    }
    this.#isRoundDue = false;
    this.#carrierUntilMs ??= nowMs + this.#limits.carrierMs;
    this.#clients.beginRound();
    this.#board.beginRound();
    const search = this.#search(signal, (text) => {
      context.setReason(text);
      this.#board.show({ reason: text });
    });
    try {
      const success = await findNetwork(search, this.#findParts());
      await this.#onSuccess(search, success);
      return success.text;
    } catch (error) {
      this.#endView = this.#fingerprint();
      this.#board.show({ reason: errorText(error) });
      throw error;
    } finally {
      this.#interrupt = undefined;
    }
  }

  /** Resolves when something changed that makes another round worth while. */
  async changed(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const restMs = this.#roundMs + this.#limits.restartMs - clock.monotonicMs();
    if (restMs > 0) await sleep(clock, restMs, signal);
    while (!this.#isRoundDue && this.#fingerprint() === this.#endView) {
      await this.#sight.next(LONG_MS, signal);
    }
  }

  /** Looks after the network and reports when it does not carry any more. */
  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    const end = new AbortController();
    const either = AbortSignal.any([signal, end.signal]);
    const report = (reason: string): void => {
      this.#isRoundDue = true;
      this.#board.show({ state: "searching", reason });
      lost(reason);
    };
    this.#interrupt = (reason) => {
      end.abort(new AgentError("E_NETWORK_RELOADED", reason));
      report(reason);
    };
    watchForLoss(this.#watchParts(), either).then(
      ({ reason, isUnreached }) => {
        this.#interrupt = undefined;
        this.#isSuspect = isUnreached;
        report(reason);
      },
      (error: unknown) => {
        if (!either.aborted) report(errorText(error));
      },
    );
  }

  status(): NetworkStatus {
    const view = this.#sight.peek();
    return this.#board.status({
      view,
      roles: this.#roles(view),
      dns: this.#setup.dns,
      mtuOf: (name) => Number(this.#options.files.readText(`/sys/class/net/${name}/mtu`) ?? 0),
    });
  }

  /** `eth0 10.0.2.15/24`, one for each address. */
  addressLines(): string[] {
    const { interfaces } = this.status();
    return interfaces.flatMap(({ name, addresses }) => addresses.map((one) => `${name} ${one}`));
  }

  /** net.toml as it is in force. */
  get loaded(): LoadedNetworkConfig {
    return this.#board.loaded;
  }

  onStatus(listener: () => void): () => void {
    return this.#board.onChange(listener);
  }

  async reload(): Promise<{ isAccepted: boolean; problems: readonly string[] }> {
    const loaded = await this.#options.loadConfig();
    const { problems } = loaded;
    if (problems.length > 0) return { isAccepted: false, problems };
    this.#use(loaded);
    this.#isRoundDue = true;
    this.#isSuspect = true;
    this.#interrupt?.(RELOADED);
    this.#sight.wake();
    return { isAccepted: true, problems };
  }

  /** Ends watching. Clients go on: they belong to the machine. */
  close(): void {
    this.#fallback.end();
    this.#sight.close();
  }

  #findParts(): FindParts {
    const known = this.#choices.known();
    // A fallback address has to be probed for again once it may have been away.
    const isHeld = known?.method !== "fallback" || this.#choices.basis === undefined;
    return {
      known,
      mayKeep: !this.#isSuspect && isHeld,
      fallback: this.#fallback,
      onMethod: (method) => this.#board.show({ method }),
    };
  }

  async #onSuccess(search: Search, { choice, text }: MethodSuccess): Promise<void> {
    if (choice.method !== "fallback") this.#fallback.end();
    const chosen = choice.method === "dhcp" ? choice.interface : null;
    this.#isSuspect = false;
    this.#choices.remember(choice, this.#sight.peek());
    this.#board.show({ state: "up", method: choice.method, reason: text });
    this.#tellHostname();
    await stopOtherClients(search, chosen);
  }

  #watchParts(): LossWatchParts {
    const search = (signal: AbortSignal): Search => this.#search(signal, () => {});
    return {
      clock: this.#options.clock,
      log: this.#options.log,
      limits: this.#limits,
      sight: this.#sight,
      setup: this.#setup,
      clients: this.#clients,
      fallback: this.#fallback,
      basis: () => this.#choices.basis ?? { choice: { method: "config" }, via: null },
      roles: (view: NetworkView) => this.#roles(view).roles,
      check: (signal: AbortSignal) => this.#checkAgain(signal),
      moveFallback: (signal: AbortSignal) => this.#moveFallback(search(signal)),
      onLook: () => {
        this.#tellHostname();
        this.#board.notify();
      },
    };
  }

  async #checkAgain(signal: AbortSignal): Promise<ReachCheck | undefined> {
    const reach = this.#reach;
    if (reach === undefined || reach.controllers + reach.probes === 0) return undefined;
    const address =
      this.#choices.basis?.choice.method === "fallback" ? { address: FALLBACK_CONTROLLER } : {};
    const { reachMs: limitMs } = this.#limits;
    const outcome = await checkReach({ reach, sight: this.#sight, limitMs, signal, ...address });
    this.#board.onReach(outcome);
    if (outcome.isReached || this.#hasOther()) return outcome;
    const { guard } = this.#options;
    const view = this.#sight.look();
    const evidence = await pathEvidence({ check: outcome, view, guard, signal });
    return evidence === undefined ? outcome : keptBy(outcome, evidence);
  }

  /** Whether an interface that is not in use might lead to a controller. */
  #hasOther(): boolean {
    const view = this.#sight.peek();
    const via = this.#choices.basis?.via ?? usableRoute(view)?.interface;
    return this.#roles(view).roles.some(
      ({ isCandidate, view: one }) => isCandidate && one.hasCarrier && one.name !== via,
    );
  }

  async #moveFallback(search: Search): Promise<boolean> {
    const choice = this.#choices.basis?.choice;
    if (choice?.method !== "fallback") return true;
    const name = choice.interface;
    await this.#setup.useFallback(null);
    const success = await tryFallbackOn(search, name, this.#fallback);
    if (success === undefined) return false;
    this.#choices.remember(success.choice, this.#sight.peek());
    this.#board.show({ reason: success.text });
    return true;
  }

  #search(signal: AbortSignal, say: (text: string) => void): Search {
    const { clock, log, random = Math.random, noAutoNic, guard } = this.#options;
    return {
      clock,
      log,
      random,
      noAutoNic,
      guard,
      limits: this.#limits,
      loaded: this.#board.loaded,
      reach: this.#reach ?? this.#options.openReach(this.#board.loaded.config),
      sight: this.#sight,
      setup: this.#setup,
      clients: this.#clients,
      report: this.#board.report,
      tested: new Set(),
      carrierUntilMs: this.#carrierUntilMs ?? 0,
      signal,
      say,
      onReach: (outcome) => this.#board.onReach(outcome),
    };
  }

  #use(loaded: LoadedNetworkConfig): void {
    this.#board.use(loaded);
    this.#setup.config = loaded.config;
    this.#reach = this.#options.openReach(loaded.config);
    for (const problem of loaded.problems) {
      this.#options.log.warn("net.toml has a mistake", { problem });
    }
  }

  #tellHostname(): void {
    const { dhcp, onHostname } = this.#options;
    const via = this.#choices.basis?.via ?? null;
    const name = via === null ? null : (dhcp.lease(via)?.hostname ?? null);
    if (name === null || name === this.#hostname) return;
    this.#hostname = name;
    try {
      onHostname?.(name);
    } catch (error) {
      this.#options.log.warn("host name of the lease cannot be set", { cause: errorText(error) });
    }
  }

  #roles(view: NetworkView): InterfaceRoles {
    return interfaceRoles(view, this.#board.loaded.config, this.#options.noAutoNic);
  }

  /** Carrier, leases, addresses and ways out: what decides whether another round may end otherwise. */
  #fingerprint(): string {
    const view = this.#sight.look();
    return JSON.stringify([
      view.interfaces.map((one) => [one.name, one.hasCarrier, one.lease?.address ?? ""]),
      view.defaultRoutes.map((route) => [route.interface, route.gateway]),
    ]);
  }
}

const PREPARE_MS = 20;
/** Longer than any back-off: the kernel's notices end the wait. */
const LONG_MS = 3_600_000;
