import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { LEVEL } from "../job/capture.ts";
import { formatJson } from "../job/format.ts";
import type { MessageListener } from "../job/message-hub.ts";
import type { JobMessage } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Logger } from "../log/logger.ts";
import { type Bytes, bytesOfText } from "../resp/bytes.ts";
import { parseLine } from "./parse-line.ts";
import { type FinishedSample, MetricState } from "./state.ts";
import type { Sample, StatisticsControl, StatisticsCounts, Tag, WireState } from "./types.ts";

/** States there may be; values of further ones are refused until old ones have left. */
export const MAX_STATES = 10_000;
/** Points kept for consumers that do not drain a list; the oldest leave first. */
export const MAX_POINTS = 50_000;
const STATE_LIFE_MS = 3_600_000;
const SWEEP_INTERVAL_MS = 60_000;
/** How late `state:` keys may be: each value would otherwise be written once more as JSON. */
const PUBLISH_INTERVAL_MS = 1000;
/** Keys written in one go, a few milliseconds' worth. */
const PUBLISH_SLICE = 500;
const MS_PER_SECOND = 1000;

export interface AggregatorOptions {
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Entry {
  readonly state: MetricState;
  /** `state:<metric>:<md5>` */
  readonly stateKey: Bytes;
  /** On the monotonic clock. */
  fedAtMs: number;
}

/** Sums up statistics lines of jobs and samples of the node (wire protocol 10). */
export class Aggregator implements MessageListener, StatisticsControl {
  readonly #options: AggregatorOptions;
  readonly #entries = new Map<string, Entry>();
  /** Entries whose `state:` key is older than they are. */
  readonly #changed = new Set<Entry>();
  #cancelPublish: (() => void) | null = null;
  #badLines = 0;
  #refused = 0;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#sweepLater();
  }

  async counts(): Promise<StatisticsCounts> {
    return { badLines: this.#badLines, refused: this.#refused };
  }

  get size(): number {
    return this.#entries.size;
  }

  readonly message = ({ level, text, jobId }: JobMessage): void => {
    if (level !== LEVEL.statistics) return;
    for (const line of text.split(/\r?\n/)) {
      if (line === "") continue;
      const sample = parseLine(line);
      if (sample === undefined) this.#countBadLine(jobId, line);
      else this.#feed(sample);
    }
  };

  async feed(samples: readonly Sample[]): Promise<void> {
    for (const sample of samples) this.#feed(sample);
  }

  async query(
    key: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<Record<string, WireState>> {
    const wanted = Object.entries(tags);
    const found = [...this.#entries.values()].filter(
      ({ state }) => (key === "" || state.metric === key) && hasAll(state.tags, wanted),
    );
    return Object.fromEntries(found.map(({ state }) => [nameOf(state), state.toWire()]));
  }

  #feed(sample: Sample): void {
    const { clock } = this.#options;
    const entry = this.#entryOf(sample);
    if (entry === undefined) return;
    entry.fedAtMs = clock.monotonicMs();
    const time = Math.floor(clock.wallMs() / MS_PER_SECOND);
    for (const finished of entry.state.feed(sample.value, time)) {
      this.#publishPoint(entry.state, finished);
    }
    this.#changed.add(entry);
    this.#publishLater(PUBLISH_INTERVAL_MS);
  }

  #entryOf(sample: Sample): Entry | undefined {
    const key = JSON.stringify([sample.metric, sample.tags]);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_STATES) {
      if (this.#refused === 0) {
        this.#options.log.warn("statistics are full", {
          states: MAX_STATES,
          metric: sample.metric,
        });
      }
      this.#refused += 1;
      return undefined;
    }
    const entry = { state: new MetricState(sample), stateKey: stateKey(sample), fedAtMs: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  #publishPoint({ metric, tags }: MetricState, { period, sample }: FinishedSample): void {
    const { lists, store } = this.#options.keyspace;
    const key = `statistics:${period}`;
    // A client may have put something else there: it is the client's to keep.
    if (store.get(key) !== undefined && lists.find(key) === undefined) return;
    const point = {
      ...sample,
      key: metric,
      ...(tags.length === 0 ? {} : { tags: objectOf(tags) }),
    };
    const length = lists.push(key, "right", [bytesOfText(formatJson(point))]);
    if (length > MAX_POINTS) lists.trim(key, -MAX_POINTS, -1);
  }

  #publishLater(delayMs: number): void {
    this.#cancelPublish ??= this.#options.clock.after(delayMs, () => this.#publishStates());
  }

  #publishStates(): void {
    const { strings, store } = this.#options.keyspace;
    this.#cancelPublish = null;
    let left = PUBLISH_SLICE;
    for (const entry of this.#changed) {
      if (left === 0) {
        // Thousands at once would hold up everybody: others get a turn first.
        this.#publishLater(1);
        return;
      }
      left -= 1;
      this.#changed.delete(entry);
      const { state, stateKey: key } = entry;
      const other = store.get(key);
      if (other !== undefined && other.type !== "string") continue;
      strings.set(key, bytesOfText(formatJson(state.toWire())), { ttlMs: STATE_LIFE_MS });
    }
  }

  #sweepLater(): void {
    const { clock } = this.#options;
    clock.after(SWEEP_INTERVAL_MS, () => {
      const oldest = clock.monotonicMs() - STATE_LIFE_MS;
      for (const [key, entry] of this.#entries) {
        if (entry.fedAtMs <= oldest) this.#entries.delete(key);
      }
      this.#sweepLater();
    });
  }

  #countBadLine(job: string, line: string): void {
    this.#badLines += 1;
    const shown = line.slice(0, SHOWN_LINE);
    this.#options.log.debug("statistics line cannot be used", { job, line: shown });
  }
}

const SHOWN_LINE = 80;

/** The digest is over the text form the reference gives to its tags (wire protocol 10.2). */
function stateKey({ metric, tags }: Sample): Bytes {
  const text = `[${tags.map(([name, value]) => `{${name} ${value}}`).join(" ")}]`;
  const digest = createHash("md5").update(text).digest("hex");
  return bytesOfText(`state:${metric}:${digest}`);
}

function nameOf({ metric, tags }: MetricState): string {
  const id = tags.find(([name]) => name === "id")?.[1];
  return id === undefined ? metric : `${metric}/${id}`;
}

function hasAll(tags: readonly Tag[], wanted: readonly Tag[]): boolean {
  return wanted.every(([name, value]) => tags.some(([n, v]) => n === name && v === value));
}

/** Names come from jobs: `__proto__` must become a member like any other. */
function objectOf(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags);
}
