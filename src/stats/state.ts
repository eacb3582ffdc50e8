import type { Operation, PeriodSample, Sample, Tag, WireState } from "./types.ts";

/** Seconds over which values are summed up. */
export const PERIODS = [300, 3600] as const;
export type Period = (typeof PERIODS)[number];
const HISTORY_SAMPLES = 5;

/** A sample whose period is over. */
export interface FinishedSample {
  readonly period: Period;
  readonly sample: PeriodSample;
}

interface Running {
  readonly period: Period;
  current: PeriodSample;
  readonly history: PeriodSample[];
}

/** What the values of one metric with one set of tags add up to (wire protocol 10.2). */
export class MetricState {
  readonly metric: string;
  readonly tags: readonly Tag[];
  readonly #op: Operation;
  readonly #periods: readonly Running[];
  #lastValue = 0;
  /** Seconds since the epoch; -1: no value yet. */
  #lastTime = -1;

  constructor({ metric, tags, op }: Sample) {
    this.metric = metric;
    this.tags = tags;
    this.#op = op;
    this.#periods = PERIODS.map((period) => ({ period, current: { ...EMPTY }, history: [] }));
  }

  /**
   * Takes the next value. The operation is that of the first one.
   *
   * @param time Seconds since the epoch.
   * @returns Samples whose period ended before this value.
   */
  feed(raw: number, time: number): FinishedSample[] {
    const value = this.#valueToFeed(raw, time);
    this.#lastValue = raw;
    this.#lastTime = time;
    return value === undefined
      ? []
      : this.#periods.flatMap((running) => feedPeriod(running, value, time));
  }

  toWire(): WireState {
    const filled = this.#periods.filter(({ history }) => history.length > 0);
    return {
      op: this.#op,
      last_value: this.#lastValue,
      last_time: this.#lastTime,
      ...(this.tags.length === 0
        ? {}
        : { tags: this.tags.map(([key, value]) => ({ key, value })) }),
      current: Object.fromEntries(
        this.#periods.map((running) => [running.period, running.current]),
      ),
      history: Object.fromEntries(filled.map(({ period, history }) => [period, history])),
    };
  }

  /** Undefined: this value is only remembered. */
  #valueToFeed(raw: number, time: number): number | undefined {
    if (this.#lastTime < 0) return this.#op === "A" ? raw : undefined;
    if (time <= this.#lastTime) return undefined;
    if (this.#op === "A") return raw;
    const rate = (raw - this.#lastValue) / (time - this.#lastTime);
    return Number.isFinite(rate) ? rate : undefined;
  }
}

const EMPTY: PeriodSample = { avg: 0, total: 0, max: 0, count: 0, start: 0 };

function feedPeriod(running: Running, value: number, time: number): FinishedSample[] {
  const { period, current, history } = running;
  const start = time - (time % period);
  // A sample of the future is left from before the clock was set back: it would never end.
  const isPast = current.start < start || current.start > start + period;
  if (!isPast) {
    const total = current.total + value;
    const count = current.count + 1;
    const max = Math.max(current.max, value);
    running.current = { avg: total / count, total, max, count, start: current.start };
    return [];
  }
  running.current = { avg: value, total: value, max: value, count: 1, start };
  if (current.start === 0) return [];
  history.push(current);
  if (history.length > HISTORY_SAMPLES) history.shift();
  return [{ period, sample: current }];
}
