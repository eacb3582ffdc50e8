import type { Logger } from "../log/logger.ts";
import type { AddressGuard } from "./address-guard.ts";
import { FallbackConflicts } from "./fallback-address.ts";

/** Remembers what was learned about fallback addresses and defends the one in use. */
export class FallbackKeeper {
  readonly #log: Logger;
  readonly #onLost: () => void;
  readonly #conflicts = new Map<string, FallbackConflicts>();
  readonly #preferred = new Map<string, string>();
  #endDefence: (() => void) | undefined;
  #lostTo: string | undefined;

  /** @param onLost Called when the address in use turned out to be somebody else's. */
  constructor(log: Logger, onLost: () => void) {
    this.#log = log;
    this.#onLost = onLost;
  }

  /** Hardware address of the owner the address in use was lost to; undefined while it is ours. */
  get lostTo(): string | undefined {
    return this.#lostTo;
  }

  conflicts(name: string): FallbackConflicts {
    const known = this.#conflicts.get(name) ?? new FallbackConflicts();
    this.#conflicts.set(name, known);
    return known;
  }

  preferred(name: string): string | undefined {
    return this.#preferred.get(name);
  }

  prefer(name: string, address: string): void {
    this.#preferred.set(name, address);
  }

  /** Announces an address that has been set, and watches it from now on. */
  defend(guard: AddressGuard, name: string, address: string): void {
    this.end();
    this.prefer(name, address);
    this.#endDefence = guard.defend(name, address, (mac) => {
      this.#log.warn("fallback address is lost", { interface: name, address, mac });
      this.#endDefence = undefined;
      this.#preferred.delete(name);
      this.conflicts(name).add(address);
      this.#lostTo = mac === "" ? "another machine" : mac;
      this.#onLost();
    });
  }

  end(): void {
    this.#endDefence?.();
    this.#endDefence = undefined;
    this.#lostTo = undefined;
  }
}
