/** Upper bounds in seconds. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] as const;

const PREFIX = "node0_controller_";

/** A gauge read when the metrics are asked for: name, help, and a value for each set of labels. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels: string; readonly value: number }[];
}

/** Counts requests and writes the Prometheus text format (version 0.0.4). */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #unlocks = new Map<string, number>();
  readonly #handshakes = new Map<string, number>();
  readonly #buckets = new Array<number>(BUCKETS_S.length).fill(0);
  #seconds = 0;
  #count = 0;

  /** @param route Pattern of the path, never the path itself: its values are without number. */
  request(options: { route: string; method: string; status: number; seconds: number }): void {
    const { route, method, status, seconds } = options;
    increment(this.#requests, `route="${route}",method="${method}",status="${status}"`);
    this.#seconds += seconds;
    this.#count += 1;
    for (const [index, bound] of BUCKETS_S.entries()) {
      if (seconds <= bound) this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    }
  }

  unlock(outcome: string): void {
    increment(this.#unlocks, `outcome="${outcome}"`);
  }

  /** @param isResumed A machine took up its TLS session again. */
  handshake(isResumed: boolean): void {
    increment(this.#handshakes, `kind="${isResumed ? "resumed" : "full"}"`);
  }

  text(gauges: readonly Gauge[]): string {
    const lines = [
      ...head("requests_total", "counter", "Requests by route, method and status."),
      ...samples("requests_total", this.#requests),
      ...head("unlocks_total", "counter", "Requests for an unlock key by outcome."),
      ...samples("unlocks_total", this.#unlocks),
      ...head("tls_handshakes_total", "counter", "TLS handshakes by kind."),
      ...samples("tls_handshakes_total", this.#handshakes),
      ...head("request_seconds", "histogram", "Time from the head of a request to its answer."),
      ...BUCKETS_S.map(
        (bound, index) => `${PREFIX}request_seconds_bucket{le="${bound}"} ${this.#buckets[index]}`,
      ),
      `${PREFIX}request_seconds_bucket{le="+Inf"} ${this.#count}`,
      `${PREFIX}request_seconds_sum ${this.#seconds}`,
      `${PREFIX}request_seconds_count ${this.#count}`,
      ...gauges.flatMap(({ name, help, values }) => [
        ...head(name, "gauge", help),
        ...values.map(({ labels, value }) => sample(name, labels, value)),
      ]),
    ];
    return `${lines.join("\n")}\n`;
  }
}

function increment(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`];
}

function samples(name: string, counts: ReadonlyMap<string, number>): string[] {
  return [...counts].map(([labels, value]) => sample(name, labels, value));
}

function sample(name: string, labels: string, value: number): string {
  return `${PREFIX}${name}${labels === "" ? "" : `{${labels}}`} ${value}`;
}
