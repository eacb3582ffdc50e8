import type { Bytes } from "../resp/bytes.ts";
import { wrongType } from "./errors.ts";
import type { Store, StringEntry } from "./store.ts";

export interface SetOptions {
  /** Only when the key is absent, or only when it is there. */
  readonly condition?: "absent" | "present";
  /** Milliseconds; null: no expiry; "keep": as it was. */
  readonly ttlMs: number | null | "keep";
}

/** String values. Reads of a key of another type throw AgentError `E_KEY_TYPE`. */
export class Strings {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get(key: Bytes): Bytes | undefined {
    return this.#find(key)?.value;
  }

  /** Sets a key whatever it held. @returns False when the condition was not met. */
  set(key: Bytes, value: Bytes, options: SetOptions): boolean {
    const store = this.#store;
    const before = store.get(key);
    if (options.condition === "absent" && before !== undefined) return false;
    if (options.condition === "present" && before === undefined) return false;
    const kept = before === undefined ? null : store.ttlMs(before);
    if (before !== undefined) store.remove(before);
    const entry = store.insertString(key, value);
    const ttlMs = options.ttlMs === "keep" ? kept : options.ttlMs;
    if (ttlMs !== null) store.setExpiry(entry, ttlMs);
    return true;
  }

  /** Replaces the value and nothing else. */
  update(key: Bytes, value: Bytes): void {
    const entry = this.#find(key);
    if (entry === undefined) {
      this.set(key, value, { ttlMs: null });
      return;
    }
    this.#store.charge(entry, value.length - entry.value.length);
    entry.value = value;
  }

  #find(key: Bytes): StringEntry | undefined {
    const entry = this.#store.get(key);
    if (entry === undefined || entry.type === "string") return entry;
    throw wrongType();
  }
}
