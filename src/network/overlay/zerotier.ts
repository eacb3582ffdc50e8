import type { Clock } from "../../base/clock.ts";
import { AgentError, errorText } from "../../base/errors.ts";
import type { Logger } from "../../log/logger.ts";
import type { PhaseContext } from "../../sequencer/phase.ts";
import type { ServiceStatus } from "../../service/types.ts";
import { judgeMembership, type Membership } from "./membership.ts";
import type { OverlayControl, OverlayReached, ZeroTierObject, ZeroTierService } from "./types.ts";

/** The part of a supervised service the overlay uses. */
export interface OverlayDaemon {
  status(): ServiceStatus;
  onChange(listener: () => void): () => void;
  start(): void;
  restart(reason: string): Promise<void>;
}

export interface ZeroTierOverlayOptions {
  /** 16 lower-case hexadecimal digits. */
  readonly network: string;
  readonly daemon: OverlayDaemon;
  readonly api: ZeroTierService;
  readonly clock: Clock;
  readonly log: Logger;
  /** Addresses without prefix on one link; none for a link that is not there. */
  readonly onLink: (interfaceName: string) => Promise<readonly string[]>;
  /** Called each time the network is reached, before the phase is done. */
  readonly onReached?: (reached: OverlayReached) => void;
}

/** Between two looks while something is expected any moment; grows to {@link LOOK_MS}. */
const QUICK_LOOK_MS = 250;
const LOOK_GROWTH = 1.5;
const LOOK_MS = 5000;
/** Looks in a row without an answer before a network in use counts as lost. */
const LOST_AFTER_FAILURES = 3;
/** A service that takes connections and never answers is started again after this time. */
const HUNG_MS = 60_000;

type Look = Membership & { readonly isSilent?: boolean };

/** Joins one ZeroTier network and stays in it. */
export class ZeroTierOverlay implements OverlayControl {
  readonly #options: ZeroTierOverlayOptions;
  /** The network was left by a command: not joined again on its own. */
  #isLeft = false;
  #silentSinceMs: number | undefined;
  readonly #sleepers = new Set<() => void>();

  constructor(options: ZeroTierOverlayOptions) {
    this.#options = options;
    options.daemon.onChange(() => this.#wake());
  }

  /**
   * One attempt of the `overlay` phase: starts the service, joins, and waits for ever for an address,
   * showing what is missing. Ends early only when the context's signal is aborted.
   */
  async bringUp(context: PhaseContext): Promise<OverlayReached> {
    this.#options.daemon.start();
    let delayMs = QUICK_LOOK_MS;
    let shown = "";
    for (;;) {
      context.signal.throwIfAborted();
      const look = await this.#look();
      context.signal.throwIfAborted();
      if (look.isReached) {
        this.#options.onReached?.(look.reached);
        return look.reached;
      }
      if (look.reason !== shown) {
        delayMs = QUICK_LOOK_MS;
        shown = look.reason;
        context.setReason(shown);
        context.progress();
      }
      await this.#pause(delayMs, context.signal);
      delayMs = Math.min(LOOK_MS, delayMs * LOOK_GROWTH);
    }
  }

  /** Reports once when the network that was reached cannot be used any more. */
  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    this.#watchUntilLost(lost, signal).catch((error: unknown) => {
      if (!signal.aborted) lost(errorText(error));
    });
  }

  /** Resolves with the next change of the service, or after a while: another attempt may be worth it. */
  async changed(signal: AbortSignal): Promise<void> {
    await this.#pause(LOOK_MS, signal);
  }

  info(): Promise<ZeroTierObject> {
    return this.#options.api.status();
  }

  list(): Promise<readonly ZeroTierObject[]> {
    return this.#options.api.networks();
  }

  async join(network: string): Promise<void> {
    await this.#options.api.join(network);
    if (network !== this.#options.network) return;
    this.#isLeft = false;
    this.#wake();
  }

  async leave(network: string): Promise<void> {
    const isOurs = network === this.#options.network;
    // Before the request: a look in between would join again.
    const wasLeft = this.#isLeft;
    if (isOurs) this.#isLeft = true;
    try {
      if (!(await this.#options.api.leave(network))) {
        const message = `Cannot leave network ${network}: this node has not joined it`;
        throw new AgentError("E_OVERLAY_NETWORK", message, { fields: { network } });
      }
    } catch (error) {
      if (isOurs) this.#isLeft = wasLeft;
      throw error;
    } finally {
      this.#wake();
    }
  }

  async #watchUntilLost(lost: (reason: string) => void, signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (;;) {
      await this.#pause(LOOK_MS, signal);
      const look = await this.#look();
      if (signal.aborted) return;
      if (look.isReached) {
        failures = 0;
        continue;
      }
      failures += 1;
      // The link works on while the service is busy: one answer that does not come is no loss.
      if (look.isSilent === true && failures < LOST_AFTER_FAILURES) continue;
      lost(look.reason);
      return;
    }
  }

  /** Joins where it is missing, and says where the network stands. Never throws. */
  async #look(): Promise<Look> {
    const { daemon, api, network: networkId } = this.#options;
    const service = daemon.status();
    if (service.state !== "running") {
      this.#silentSinceMs = undefined;
      return { isReached: false, reason: `zerotier-one is not running: ${service.reason}` };
    }
    try {
      if (this.#isLeft) {
        const reason = `network ${networkId} was left by command; zerotier.join or a restart joins again`;
        return { isReached: false, reason };
      }
      const [status, found] = await Promise.all([api.status(), api.network(networkId)]);
      if (found === undefined && !this.#isLeft) await api.join(networkId);
      const network = found ?? (await api.network(networkId));
      this.#silentSinceMs = undefined;
      if (network === undefined) {
        return { isReached: false, reason: `joining network ${networkId}` };
      }
      const name = String(network["portDeviceName"] ?? "");
      const present = name === "" ? [] : await this.#options.onLink(name);
      return judgeMembership({ status, network, networkId, onLink: () => present });
    } catch (error) {
      return this.#troubled(error, service);
    }
  }

  async #troubled(error: unknown, service: ServiceStatus): Promise<Look> {
    const { kind, why } = error instanceof AgentError ? error.fields : {};
    const text = typeof why === "string" ? why : errorText(error);
    if (kind === "starting") {
      return { isReached: false, reason: `zerotier-one (process ${service.pid}) starts: ${text}` };
    }
    const isSilent = kind === "silent";
    if (isSilent) await this.#restartHung();
    else this.#silentSinceMs = undefined;
    return { isReached: false, isSilent, reason: `zerotier-one does not do its work: ${text}` };
  }

  async #restartHung(): Promise<void> {
    const { clock, daemon } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#silentSinceMs ??= nowMs;
    if (nowMs - this.#silentSinceMs < HUNG_MS) return;
    this.#silentSinceMs = undefined;
    await daemon.restart(`no answer for ${HUNG_MS / 1000} s`);
  }

  /** Ends early when the service changed or a command asked for a look. */
  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel();
        this.#sleepers.delete(end);
        signal.removeEventListener("abort", end);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      const cancel = this.#options.clock.after(delayMs, end);
      this.#sleepers.add(end);
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
    });
  }

  #wake(): void {
    for (const end of [...this.#sleepers]) end();
  }
}
