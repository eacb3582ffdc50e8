import { backoffDelayMs, DEFAULT_BACKOFF } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { ListenAddress } from "../config/kernel-words.ts";
import type { Logger } from "../log/logger.ts";

export interface ListenersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens one and resolves with its port. */
  readonly listen: (host: string, port: number) => Promise<number>;
}

/**
 * Network addresses of the endpoint. An address that cannot be opened (an IPv6 address is not usable
 * before its duplicate detection has ended) is tried again for as long as it is wanted, and does not
 * keep the others closed.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #open = new Map<string, string>();
  #wanted: readonly ListenAddress[] = [];
  #cancelRetry = (): void => {};

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Addresses listened on, `HOST:PORT`. */
  addresses(): string[] {
    return [...this.#open.values()];
  }

  /**
   * Opens what is not open yet. What is open and no longer wanted stays: its address is gone from the
   * machine, and so is whoever could use it.
   *
   * @throws the first failure when not one address is open afterwards.
   */
  async open(wanted: readonly ListenAddress[]): Promise<readonly string[]> {
    this.#wanted = wanted;
    const failures = await this.#openMissing();
    if (failures.length > 0 && this.#open.size === 0) throw failures[0];
    this.#retryLater(failures, 1);
    return this.addresses();
  }

  stop(): void {
    this.#cancelRetry();
  }

  async #openMissing(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const { host, port } of this.#wanted) {
      const name = format(host, port);
      if (this.#open.has(name)) continue;
      try {
        this.#open.set(name, format(host, await this.#options.listen(host, port)));
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }

  #retryLater(failures: readonly unknown[], attempt: number): void {
    this.#cancelRetry();
    if (failures.length === 0) return;
    const { clock, log } = this.#options;
    const delayMs = backoffDelayMs(DEFAULT_BACKOFF, attempt, 0);
    log.warn("address not opened", { cause: errorText(failures[0]), attempt, delayMs });
    this.#cancelRetry = clock.after(delayMs, () => {
      void this.#openMissing().then((left) => this.#retryLater(left, attempt + 1));
    });
  }
}

function format(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
