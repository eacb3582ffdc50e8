import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { FirewallPolicy } from "../network/firewall-rules.ts";
import type { OverlayControl, OverlayReached } from "../network/overlay/types.ts";
import type { PhaseContext } from "../sequencer/phase.ts";
import type { Access } from "./access.ts";
import type { BootConnection } from "./sequence.ts";

/** The overlay itself, without what the machine makes of it. */
export interface JoinedOverlay extends OverlayControl {
  bringUp(context: PhaseContext): Promise<OverlayReached>;
  changed(signal: AbortSignal): Promise<void>;
  watch(lost: (reason: string) => void, signal: AbortSignal): void;
}

export interface LoadedOverlay {
  readonly overlay: JoinedOverlay;
  /** Takes the identity of the private configuration. False when it is in use already, or there is none. */
  useKeptIdentity(): Promise<boolean>;
}

export interface MachineOverlayOptions {
  readonly log: Logger;
  /** Loads it; asked once. */
  readonly open: () => Promise<LoadedOverlay>;
  readonly planAccess: (reached: OverlayReached) => Access;
  readonly applyFirewall: (policy: FirewallPolicy | null) => Promise<void>;
  readonly setHostname: (name: string) => void;
  /** Called with the access that is in force from now on, also after the overlay came back. */
  readonly onAccess: (access: Access) => Promise<void>;
}

/**
 * The `overlay` phase of a machine: joins, and then closes every other way to the node but the console
 * and the unix socket. A packet filter that cannot be set is told and does not stop the boot: the
 * endpoint listens on the overlay alone anyway, and a machine nobody reaches helps nobody.
 */
export class MachineOverlay implements BootConnection, OverlayControl {
  readonly #options: MachineOverlayOptions;
  #opening: Promise<LoadedOverlay> | undefined;
  #loaded: LoadedOverlay | undefined;
  #nodeId = "";

  constructor(options: MachineOverlayOptions) {
    this.#options = options;
  }

  async bringUp(context: PhaseContext): Promise<string> {
    this.#loaded = await this.#load();
    const reached = await this.#loaded.overlay.bringUp(context);
    this.#nodeId = reached.nodeId;
    const { setHostname, planAccess, onAccess } = this.#options;
    setHostname(`node0-${reached.nodeId}`);
    const access = planAccess(reached);
    const filter = await this.#filter(access.firewall);
    await onAccess(access);
    const { interface: link, addresses, nodeId, network } = reached;
    return `${link} ${addresses.join(", ")} on ${network} as ${nodeId}${filter}`;
  }

  async changed(signal: AbortSignal): Promise<void> {
    return (await this.#open()).changed(signal);
  }

  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    this.#loaded?.overlay.watch(lost, signal);
  }

  /** 10 hexadecimal digits; empty before the first join. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /** Never rejects: a machine with another identity than it should have is still a machine. */
  async useKeptIdentity(): Promise<void> {
    try {
      if (await this.#loaded?.useKeptIdentity()) this.#options.log.info("overlay identity changed");
    } catch (error) {
      this.#options.log.error("overlay identity not changed", { cause: errorText(error) });
    }
  }

  async info(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#open()).info();
  }

  async list(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return (await this.#open()).list();
  }

  async join(network: string): Promise<void> {
    return (await this.#open()).join(network);
  }

  async leave(network: string): Promise<void> {
    return (await this.#open()).leave(network);
  }

  async #open(): Promise<JoinedOverlay> {
    return (await this.#load()).overlay;
  }

  #load(): Promise<LoadedOverlay> {
    this.#opening ??= this.#options.open();
    return this.#opening;
  }

  /** @returns What to add to the line of the phase. */
  async #filter(policy: FirewallPolicy | null): Promise<string> {
    try {
      await this.#options.applyFirewall(policy);
      return policy === null ? "; packet filter off" : "";
    } catch (error) {
      this.#options.log.error("packet filter not set", { cause: errorText(error) });
      return `; packet filter not set: ${errorText(error)}`;
    }
  }
}
