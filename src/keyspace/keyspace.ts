import { getHeapStatistics } from "node:v8";
import { Blocking } from "./blocking.ts";
import { Lists } from "./lists.ts";
import { Scanner } from "./scanner.ts";
import { Store, type StoreOptions } from "./store.ts";
import { Strings } from "./strings.ts";

/**
 * Share of the heap clients may fill. V8 ends the process when its heap is full, and the rest of the
 * agent lives there too; the heap itself grows with the memory of the machine.
 */
const HEAP_SHARE = 0.4;

/** The limit where none is given: 0.4 of what V8 allows the heap to become. */
export const defaultMaxBytes = (): number =>
  Math.floor(getHeapStatistics().heap_size_limit * HEAP_SHARE);

/** The data of the endpoint: strings, lists, expiry and blocking pops. Single-threaded, no I/O. */
export class Keyspace {
  readonly store: Store;
  readonly lists: Lists;
  readonly strings: Strings;
  readonly blocking: Blocking;
  readonly scanner: Scanner;

  constructor(options: Pick<StoreOptions, "clock"> & Partial<StoreOptions>) {
    this.store = new Store({ maxBytes: defaultMaxBytes(), ...options });
    this.blocking = new Blocking(options.clock, () => this.lists);
    this.lists = new Lists(this.store, (key) => this.blocking.grew(key));
    this.strings = new Strings(this.store);
    this.scanner = new Scanner(this.store);
  }
}
