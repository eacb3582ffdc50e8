import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
} from "node:perf_hooks";
import type { Clock } from "../base/clock.ts";

/** How long the event loop was held up, seconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Garbage collections of one kind since the monitor was started. */
export interface Collections {
  readonly count: number;
  readonly seconds: number;
}

interface CollectionEntry extends PerformanceEntry {
  readonly detail?: { readonly kind?: number };
}

const WINDOW_MS = 30_000;
const RESOLUTION_MS = 20;
const NS_PER_SECOND = 1e9;
const MS_PER_SECOND = 1000;

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weak callbacks",
};

/** Watches event loop and garbage collector. It wakes the agent 50 times a second, so only on demand. */
export class ProcessMonitor {
  readonly #clock: Clock;
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #observer: PerformanceObserver;
  readonly #collections = new Map<string, Collections>();
  #last: LoopDelay = { p50: 0, p99: 0, max: 0 };
  #cancel = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as readonly CollectionEntry[]) {
        this.#count(entry.detail?.kind ?? 0, entry.duration);
      }
    });
  }

  start(): void {
    for (const kind of Object.values(KINDS)) this.#collections.set(kind, { count: 0, seconds: 0 });
    this.#histogram.enable();
    this.#observer.observe({ entryTypes: ["gc"] });
    this.#turnWindow();
  }

  stop(): void {
    this.#cancel();
    this.#histogram.disable();
    this.#observer.disconnect();
  }

  /** Of the last 30 to 60 seconds; reading changes nothing, several may read. */
  loopDelay(): LoopDelay {
    const now = this.#read();
    return {
      p50: Math.max(now.p50, this.#last.p50),
      p99: Math.max(now.p99, this.#last.p99),
      max: Math.max(now.max, this.#last.max),
    };
  }

  collections(): ReadonlyMap<string, Collections> {
    return this.#collections;
  }

  #turnWindow(): void {
    this.#cancel = this.#clock.after(WINDOW_MS, () => {
      this.#last = this.#read();
      this.#histogram.reset();
      this.#turnWindow();
    });
  }

  /** The monitor measures whole intervals: what is beyond its own is the delay. */
  #read(): LoopDelay {
    const histogram = this.#histogram;
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    const seconds = (ns: number): number =>
      Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / MS_PER_SECOND);
    return {
      p50: seconds(histogram.percentile(50)),
      p99: seconds(histogram.percentile(99)),
      max: seconds(histogram.max),
    };
  }

  #count(kind: number, durationMs: number): void {
    const name = KINDS[kind] ?? "other";
    const { count, seconds } = this.#collections.get(name) ?? { count: 0, seconds: 0 };
    this.#collections.set(name, {
      count: count + 1,
      seconds: seconds + durationMs / MS_PER_SECOND,
    });
  }
}
