import type { Operation, Sample, Tag } from "./types.ts";

/** Bounds of what one line can make the node remember. */
const MAX_LINE = 4096;
const MAX_TAGS = 32;
const OPERATIONS: readonly string[] = ["A", "D"] satisfies Operation[];

/**
 * Reads one statistics line, without its header: `<metric>:<number>|<op>[|<tag>=<value>,…]` (wire
 * protocol 10.1). More than three parts drop all tags; no tags are one tag without name and value.
 *
 * @returns Undefined for a line that cannot be used.
 */
export function parseLine(line: string): Sample | undefined {
  if (line.length > MAX_LINE) return undefined;
  const [first = "", op = "", tagText, ...more] = line.split("|");
  const colon = first.indexOf(":");
  if (colon <= 0 || !OPERATIONS.includes(op)) return undefined;
  const value = parseNumber(first.slice(colon + 1));
  const tags = parseTags(more.length > 0 ? "" : (tagText ?? ""));
  if (value === undefined || tags.length > MAX_TAGS) return undefined;
  return { metric: first.slice(0, colon), value, op: op as Operation, tags };
}

/** Decimal notation with or without an exponent; what is no finite number has no average. */
function parseNumber(text: string): number | undefined {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The last value of a name that stands twice counts. */
function parseTags(text: string): Tag[] {
  const tags = new Map<string, string>();
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    if (equals < 0) tags.set(pair, "");
    else tags.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return sortTags([...tags]);
}

export function sortTags(tags: readonly Tag[]): Tag[] {
  return [...tags].sort(([one], [other]) => (one < other ? -1 : 1));
}
