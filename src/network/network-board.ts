import { DEFAULT_NETWORK_CONFIG, type LoadedNetworkConfig } from "../config/network-types.ts";
import type { InterfaceRoles } from "./interface-roles.ts";
import { buildNetworkStatus, type SearchProgress } from "./network-status.ts";
import type { NetworkView } from "./network-view.ts";
import type { ReachResult } from "./reach.ts";
import type { ReachCheck } from "./reach-check.ts";
import { SearchReport } from "./search-report.ts";
import type { NetworkStatus } from "./status.ts";

/** What is shown of the network, and who wants to know when it changes. */
export class NetworkBoard {
  readonly report = new SearchReport();
  readonly #monotonicMs: () => number;
  readonly #reached = new Map<string, ReachResult>();
  readonly #listeners = new Set<() => void>();
  #loaded: LoadedNetworkConfig = {
    file: "",
    isPresent: false,
    config: DEFAULT_NETWORK_CONFIG,
    problems: [],
  };
  #progress: SearchProgress = {
    state: "searching",
    method: null,
    round: 0,
    reason: "",
    sinceMs: 0,
  };

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  get loaded(): LoadedNetworkConfig {
    return this.#loaded;
  }

  /** Shows another configuration: what its controllers answered is not known. */
  use(loaded: LoadedNetworkConfig): void {
    this.#loaded = loaded;
    this.#reached.clear();
  }

  beginRound(): void {
    this.report.beginRound();
    this.show({ state: "searching", round: this.#progress.round + 1 });
  }

  show(change: Partial<Omit<SearchProgress, "sinceMs">>): void {
    const before = this.#progress;
    const next = { ...before, ...change };
    const isBegun = next.state !== before.state || before.round === 0;
    this.#progress = isBegun ? { ...next, sinceMs: Math.round(this.#monotonicMs()) } : next;
    if (JSON.stringify(this.#progress) !== JSON.stringify(before)) this.notify();
  }

  onReach({ results }: ReachCheck): void {
    for (const result of results) this.#reached.set(result.target, result);
    if (results.length > 0) this.notify();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  status(now: {
    readonly view: NetworkView;
    readonly roles: InterfaceRoles;
    readonly dns: NetworkStatus["dns"];
    readonly mtuOf: (name: string) => number;
  }): NetworkStatus {
    return buildNetworkStatus({
      progress: this.#progress,
      loaded: this.#loaded,
      report: this.report,
      reached: this.#reached,
      ...now,
    });
  }
}
