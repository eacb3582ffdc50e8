import { Blocking } from "./blocking.ts";
import { Lists } from "./lists.ts";
import { Scanner } from "./scanner.ts";
import { Store, type StoreOptions } from "./store.ts";
import { Strings } from "./strings.ts";

export const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;

/** The data of the endpoint: strings, lists, expiry and blocking pops. Single-threaded, no I/O. */
export class Keyspace {
  readonly store: Store;
  readonly lists: Lists;
  readonly strings: Strings;
  readonly blocking: Blocking;
  readonly scanner: Scanner;

  constructor(options: Pick<StoreOptions, "clock"> & Partial<StoreOptions>) {
    this.store = new Store({ maxBytes: DEFAULT_MAX_BYTES, ...options });
    this.blocking = new Blocking(options.clock, () => this.lists);
    this.lists = new Lists(this.store, (key) => this.blocking.grew(key));
    this.strings = new Strings(this.store);
    this.scanner = new Scanner(this.store);
  }
}
