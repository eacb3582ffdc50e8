import { orAborted } from "../sequencer/wait.ts";
import type { OpenVault } from "../vault/open-vault.ts";
import type { BootConnection } from "./sequence.ts";

export interface MachineVaultOptions {
  /** Whether the private configuration is mounted, perhaps since an earlier agent. */
  readonly isMounted: () => boolean;
  /** Number of controllers in net.toml as it is in force. */
  readonly controllers: () => number;
  /** Loads it; asked once. */
  readonly open: () => Promise<OpenVault>;
  /**
   * Called after each unlock, before the phase is done: what the configuration says counts from then on.
   *
   * @returns What to add to the line of the phase, for example a part that could not be used.
   */
  readonly onUnlocked: (vault: OpenVault, signal: AbortSignal) => Promise<string>;
}

/** A fetch of the largest configuration and one mount. */
const RENEW_LIMIT_MS = 60_000;

/** The phases `unlock` and `controller-tls` of a machine, loaded when a controller is configured. */
export class MachineVault {
  readonly unlock: BootConnection;
  readonly session: BootConnection;
  readonly #options: MachineVaultOptions;
  #opening: Promise<OpenVault> | undefined;
  #opened: OpenVault | undefined;
  #isUnlocked = false;
  #wasMounted = false;
  #nextUnlock = Promise.withResolvers<void>();

  constructor(options: MachineVaultOptions) {
    this.#options = options;
    const hasNone = (): boolean => options.controllers() === 0;
    this.unlock = {
      skip: () => (hasNone() ? "no controller configured, nothing to unlock" : undefined),
      bringUp: async (context) => {
        this.#wasMounted = options.isMounted();
        const vault = await this.prepare();
        const reached = await vault.unlock.bringUp(context);
        const added = await options.onUnlocked(vault, context.signal);
        this.#isUnlocked = true;
        this.#nextUnlock.resolve();
        this.#nextUnlock = Promise.withResolvers();
        return `${reached}${added}`;
      },
      changed: async (signal) => (await this.prepare()).unlock.changed(signal),
      watch: (lost, signal) => this.#opened?.unlock.watch(lost, signal),
    };
    this.session = {
      skip: () => (hasNone() ? "no controller configured" : undefined),
      bringUp: async (context) => (await this.prepare()).session.bringUp(context),
      changed: async (signal) => (await this.prepare()).session.changed(signal),
      // Nothing depends on the controller any more: heartbeats tell when it is away.
      watch: () => {},
      // A machine that was let in before opens its endpoint again while the controller is away.
      isOptional: () => this.#wasMounted,
    };
  }

  /** Whether there has been a private configuration since the agent started. */
  get isUnlocked(): boolean {
    return this.#isUnlocked;
  }

  /**
   * Takes a newer revision of the private configuration, where there is one and something is unlocked.
   *
   * @returns True: it is mounted, and what it says counts.
   * @throws AgentError with the reason; what was mounted stays so, or the phase `unlock` is tried on.
   */
  async renew(): Promise<boolean> {
    if (this.#opened === undefined || !this.#isUnlocked) return false;
    const unlocked = this.#nextUnlock.promise;
    const signal = AbortSignal.timeout(RENEW_LIMIT_MS);
    if (!(await this.#opened.unlock.renew(signal))) return false;
    await orAborted(unlocked, signal);
    return true;
  }

  /** Loads what the phases need; there is time for it while the network is looked for. */
  prepare(): Promise<OpenVault> {
    this.#opening ??= this.#options.open().then((vault) => {
      this.#opened = vault;
      return vault;
    });
    return this.#opening;
  }
}
