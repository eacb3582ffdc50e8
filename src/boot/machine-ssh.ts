import type { PhaseContext } from "../sequencer/phase.ts";
import type { SshService } from "../service/sshd.ts";
import type { SshdAddress } from "../service/sshd-config.ts";
import type { BootConnection } from "./sequence.ts";

type Ssh = Pick<SshService, "bringUp" | "changed" | "watch" | "setListen" | "reload">;

export interface MachineSshOptions {
  /** Loads it; asked once, when there are keys. */
  readonly open: (listen: readonly SshdAddress[]) => Promise<Ssh>;
  /** Where sshd is to listen at first. */
  readonly listen: readonly SshdAddress[];
  /** Whether there is a private configuration at all. */
  readonly isUnlocked: () => boolean;
}

/** The phase `ssh` of a machine, loaded when there are keys. */
export class MachineSsh implements BootConnection {
  readonly #options: MachineSshOptions;
  #listen: readonly SshdAddress[];
  #opening: Promise<Ssh> | undefined;
  #opened: Ssh | undefined;

  constructor(options: MachineSshOptions) {
    this.#options = options;
    this.#listen = options.listen;
  }

  skip(): string | undefined {
    return this.#options.isUnlocked() ? undefined : "no keys without an unlocked configuration";
  }

  async bringUp(context: PhaseContext): Promise<string> {
    return (await this.#open()).bringUp(context);
  }

  async changed(signal: AbortSignal): Promise<void> {
    return (await this.#open()).changed(signal);
  }

  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    this.#opened?.watch(lost, signal);
  }

  /** From now on sshd listens there; sessions go on. */
  async setListen(listen: readonly SshdAddress[]): Promise<void> {
    this.#listen = listen;
    await this.#opened?.setListen(listen);
  }

  /** Reads keys and settings again, where sshd was started. */
  async reload(): Promise<void> {
    await this.#opened?.reload();
  }

  async #open(): Promise<Ssh> {
    this.#opening ??= this.#options.open(this.#listen);
    const opened = await this.#opening;
    // Addresses may have changed while it was loaded.
    if (this.#opened === undefined) await opened.setListen(this.#listen);
    this.#opened = opened;
    return opened;
  }
}
