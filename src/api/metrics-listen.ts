import { networkInterfaces } from "node:os";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";

export interface MetricsListenOptions {
  /** Words of `metrics.listen`. */
  readonly words: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens an address; resolves with what closes it. */
  readonly listen: (host: string, port: number) => Promise<() => void>;
  /** Addresses in the overlay. */
  readonly overlay?: () => readonly string[];
}

/**
 * Keeps the addresses of `metrics.listen` open. Those in the overlay come and go with it, so they are
 * looked for again and again, as is an address that could not be opened.
 */
export class MetricsListeners {
  readonly #options: MetricsListenOptions;
  readonly #open = new Map<string, () => void>();
  /** Why an address is not open; told once. */
  readonly #failures = new Map<string, string>();
  #isStopped = false;
  #cancel = (): void => {};

  constructor(options: MetricsListenOptions) {
    this.#options = options;
  }

  /** Addresses that are open, `HOST:PORT`. */
  addresses(): string[] {
    return [...this.#open.keys()];
  }

  /** Resolves when each address has been tried once. */
  async start(): Promise<void> {
    await this.#reconcile();
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.after(RETRY_MS, () => void this.start());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    for (const close of this.#open.values()) close();
    this.#open.clear();
  }

  async #reconcile(): Promise<void> {
    const wanted = this.#wanted();
    for (const [name, close] of this.#open) {
      if (wanted.has(name)) continue;
      close();
      this.#open.delete(name);
    }
    for (const [name, { host, port }] of wanted) {
      if (!this.#open.has(name)) await this.#tryOne(name, host, port);
    }
  }

  async #tryOne(name: string, host: string, port: number): Promise<void> {
    const { listen, log } = this.#options;
    try {
      const close = await listen(host, port);
      if (this.#isStopped) {
        close();
        return;
      }
      this.#open.set(name, close);
      this.#failures.delete(name);
      log.info("metrics can be read", { address: name });
    } catch (error) {
      const reason = errorText(error);
      if (this.#failures.get(name) === reason) return;
      this.#failures.set(name, reason);
      log.warn("address of metrics not opened", { address: name, reason, delayMs: RETRY_MS });
    }
  }

  #wanted(): Map<string, { host: string; port: number }> {
    const wanted = new Map<string, { host: string; port: number }>();
    const { words, overlay = overlayAddresses } = this.#options;
    for (const word of words) {
      const at = word.lastIndexOf(":");
      const port = Number(word.slice(at + 1));
      const name = word.slice(0, at).replace(/^\[(.*)\]$/, "$1");
      const hosts = name === OVERLAY_WORD ? overlay() : [name];
      for (const host of hosts) {
        wanted.set(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`, { host, port });
      }
    }
    return wanted;
  }
}

const RETRY_MS = 5000;
const OVERLAY_WORD = "overlay";

/** ZeroTier names its links `zt` and letters. Link-local addresses are nobody's to scrape. */
function overlayAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => name.startsWith("zt"))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ scopeid, family }) => family === "IPv4" || scopeid === 0)
    .map(({ address }) => address);
}
