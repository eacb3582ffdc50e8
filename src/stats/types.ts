/** How values of a metric are summed up: as they are, or as their change per second. */
export type Operation = "A" | "D";

/** Name and value; sorted by name wherever several stand together. */
export type Tag = readonly [name: string, value: string];

/** One value of one metric (wire protocol 10.1). */
export interface Sample {
  readonly metric: string;
  readonly value: number;
  readonly op: Operation;
  readonly tags: readonly Tag[];
}

/** Members in the order of the wire protocol, 10.2. */
export interface PeriodSample {
  avg: number;
  total: number;
  max: number;
  count: number;
  /** Seconds since the epoch; 0 while nothing was fed. */
  start: number;
}

/** A state as clients read it (wire protocol 10.2). */
export interface WireState {
  readonly op: Operation;
  readonly last_value: number;
  readonly last_time: number;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  readonly current: Readonly<Record<string, PeriodSample>>;
  readonly history: Readonly<Record<string, readonly PeriodSample[]>>;
}

/** What was not summed up, since the start of the agent. */
export interface StatisticsCounts {
  /** Lines that could not be used. */
  readonly badLines: number;
  /** Values of metrics for which there was no room. */
  readonly refused: number;
}

/** What commands do with the statistics. */
export interface StatisticsControl {
  /** Feeds values that come from no job's output. */
  feed(samples: readonly Sample[]): Promise<void>;
  /**
   * @param key Exact metric; empty: all.
   * @param tags Pairs a state must have.
   * @returns By metric, or metric/id where there is a tag `id`.
   */
  query(key: string, tags: Readonly<Record<string, string>>): Promise<Record<string, WireState>>;
  counts(): Promise<StatisticsCounts>;
}
