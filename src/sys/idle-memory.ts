import type { Clock } from "../base/clock.ts";

export interface IdleMemoryOptions {
  readonly clock: Clock;
  /** Bytes the heap occupies, whether or not they are in use. */
  readonly heapBytes: () => number;
  /** Collects garbage and gives free pages back; the event loop stands still meanwhile. */
  readonly release: () => void;
}

/**
 * Gives memory back after a burst of work. V8 collects garbage only when it allocates, so an agent that
 * has become idle would keep what its busiest minute needed for ever. Costs nothing until there is work.
 */
export class IdleMemory {
  readonly #options: IdleMemoryOptions;
  #isArmed = false;
  #hasWorked = false;
  /** The heap when it was small last. */
  #smallestBytes = Number.POSITIVE_INFINITY;

  constructor(options: IdleMemoryOptions) {
    this.#options = options;
  }

  /** Something was done. Cheap: called for every job. */
  touch(): void {
    this.#hasWorked = true;
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#smallestBytes = Math.min(this.#smallestBytes, this.#options.heapBytes());
    this.#look();
  }

  #look(): void {
    this.#options.clock.after(QUIET_MS, () => {
      if (this.#hasWorked) {
        this.#hasWorked = false;
        this.#look();
        return;
      }
      this.#isArmed = false;
      const { heapBytes, release } = this.#options;
      // The pause grows with what is in use, so a large heap has to have gained more.
      const worthwhileBytes = Math.max(WORTHWHILE_BYTES, this.#smallestBytes / 2);
      if (heapBytes() - this.#smallestBytes < worthwhileBytes) return;
      release();
      // What the clients keep here is no garbage: without this it would be looked for again and again.
      this.#smallestBytes = heapBytes();
    });
  }
}

const QUIET_MS = 4000;
const WORTHWHILE_BYTES = 16 * 1024 * 1024;

export const v8HeapBytes = (): number =>
  process.getBuiltinModule("node:v8").getHeapStatistics().total_heap_size;

/** Node.js hides the function behind a flag, which may be set at any time. */
export function releaseV8Memory(): void {
  process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
  const collect = process.getBuiltinModule("node:vm").runInNewContext("gc") as (options: {
    type: "major";
    flavor: "last-resort";
  }) => void;
  // Every other flavour keeps the pages for the next burst.
  collect({ type: "major", flavor: "last-resort" });
}
