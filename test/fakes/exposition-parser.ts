/** One value of a metric as it stands in the text. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

/**
 * Reads metrics as strictly as the format's documentation allows: HELP, TYPE, then the samples of one
 * metric, each metric and each set of labels once, lines end with a line feed, the last one too.
 * Source: Prometheus documentation, "Exposition formats", text-based format 0.0.4.
 *
 * @throws Error naming the line.
 */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (text === "") return new Map();
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, ParsedFamily & { samples: ParsedSample[] }>();
  let current: (ParsedFamily & { samples: ParsedSample[] }) | undefined;
  let help: { name: string; text: string } | undefined;
  const seen = new Set<string>();
  for (const [at, line] of text.slice(0, -1).split("\n").entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${at + 1}: ${why}: ${line}`);
    };
    const [, helped = "", words = ""] = /^# HELP (\S+) (.*)$/s.exec(line) ?? [];
    if (helped !== "") {
      if (!NAME.test(helped)) fail("name of a metric");
      if (families.has(helped)) fail("a metric twice");
      help = { name: helped, text: unescaped(words, /\\[\\n]|[^\\]/g, fail) };
      continue;
    }
    const [, typed = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (typed !== "") {
      if (help?.name !== typed) fail("TYPE without its HELP");
      if (!["counter", "gauge"].includes(type)) fail("type");
      if ((type === "counter") !== typed.endsWith("_total")) fail("a counter ends in _total");
      current = { name: typed, type, help: help?.text ?? "", samples: [] };
      families.set(typed, current);
      continue;
    }
    const sample = parseSample(line, fail);
    if (sample.name !== current?.name) fail("a value of another metric");
    const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(identity)) fail("the same value twice");
    seen.add(identity);
    if (current?.type === "counter" && !(sample.value >= 0)) fail("a counter below zero");
    current?.samples.push(sample);
  }
  for (const { name, samples } of families.values()) {
    if (samples.length === 0) throw new Error(`${name} has no values`);
  }
  return families;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;

type Fail = (why: string) => never;

function parseSample(line: string, fail: Fail): ParsedSample {
  const [, name = "", , list, number = ""] =
    /^([^\s{]+)(\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$/.exec(line) ??
    fail("neither comment nor value");
  if (!NAME.test(name)) fail("name of a metric");
  if (!NUMBER.test(number)) fail("number");
  const words: Readonly<Record<string, number>> = {
    NaN: Number.NaN,
    "+Inf": Number.POSITIVE_INFINITY,
    "-Inf": Number.NEGATIVE_INFINITY,
  };
  return { name, labels: parseLabels(list ?? "", fail), value: words[number] ?? Number(number) };
}

function parseLabels(list: string, fail: Fail): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = list;
  while (rest !== "") {
    const [all = "", name = "", value = ""] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,(?=.)|$)/.exec(rest) ?? fail("labels");
    if (name in labels || name.startsWith("__")) fail("name of a label");
    labels[name] = unescaped(value, /\\[\\n"]|[^\\"]/g, fail);
    rest = rest.slice(all.length);
  }
  return labels;
}

function unescaped(text: string, piece: RegExp, fail: Fail): string {
  const pieces = text.match(piece) ?? [];
  if (pieces.join("") !== text) fail("escaping");
  return pieces.map((one) => ESCAPES[one] ?? one).join("");
}

const ESCAPES: Readonly<Record<string, string>> = { "\\\\": "\\", "\\n": "\n", '\\"': '"' };
