/** One value of a metric. */
export interface MetricSample {
  /** Names as in `[a-zA-Z_][a-zA-Z0-9_]*`; values are any text. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its values. Without values it is left out. */
export interface MetricFamily {
  /** As in `[a-zA-Z_:][a-zA-Z0-9_:]*`; a counter ends in `_total`. */
  readonly name: string;
  /** A counter only grows while the agent lives. */
  readonly type: "counter" | "gauge";
  /** One sentence with the unit. */
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/** A number, or samples with labels. Null: not known, left out. */
type Values = number | null | readonly MetricSample[];

export function counter(name: string, help: string, values: Values): MetricFamily {
  return { name, type: "counter", help, samples: samplesOf(values) };
}

export function gauge(name: string, help: string, values: Values): MetricFamily {
  return { name, type: "gauge", help, samples: samplesOf(values) };
}

/** One sample for each member; the member's name becomes the value of the label. */
export function byLabel(label: string, values: Readonly<Record<string, number>>): MetricSample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function samplesOf(values: Values): readonly MetricSample[] {
  if (values === null) return [];
  return typeof values === "number" ? [{ value: values }] : values;
}
