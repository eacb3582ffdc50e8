import { AgentError } from "../base/errors.ts";

/** One rule of `nft -j list`, as far as it is looked at. */
export interface ListedRule {
  readonly chain: string;
  readonly comment?: string;
  readonly expr: readonly Expression[];
}

type Expression = Readonly<Record<string, unknown>>;

/** Rules of all chains in the order of the listing. Source: libnftables-json(5). */
export function parseRules(json: string): ListedRule[] {
  const { nftables } = JSON.parse(json) as { nftables: readonly { readonly rule?: ListedRule }[] };
  return nftables.flatMap(({ rule }) => rule ?? []);
}

/**
 * A rule as one line: matches as `<left> <right>`, names of interfaces quoted.
 *
 * @throws AgentError `E_RULE_TEXT` for an expression that has no text here.
 */
export function formatRule({ expr }: ListedRule): string {
  return expr.map(formatStatement).join(" ");
}

/** Ports of TCP that a rule names one by one. */
export function singleTcpPorts({ expr }: ListedRule): number[] {
  return expr.flatMap(({ match }) => {
    const { left, right } = (match ?? {}) as { left?: Expression; right?: unknown };
    const payload = left?.["payload"] as Expression | undefined;
    const isPort = payload?.["protocol"] === "tcp" && payload["field"] === "dport";
    return isPort && typeof right === "number" ? [right] : [];
  });
}

const WORDS: readonly string[] = ["accept", "drop", "return", "continue", "masquerade", "counter"];

function formatStatement(statement: Expression): string {
  const [entry] = Object.entries(statement);
  if (entry === undefined) throw unknown(statement);
  const [kind, value] = entry;
  const parts = value as Expression;
  if (WORDS.includes(kind)) return kind;
  switch (kind) {
    case "match":
      return formatMatch(parts["left"], parts["right"]);
    case "jump":
      return `jump ${String(parts["target"])}`;
    case "mangle":
      return `${formatLeft(parts["key"])} set ${formatMark(parts["value"])}`;
    case "dnat":
      return `dnat to ${String(parts["addr"])}:${String(parts["port"])}`;
    default:
      throw unknown(statement);
  }
}

function formatMatch(left: unknown, right: unknown): string {
  const name = formatLeft(left);
  const isName = name === "iifname" || name === "oifname";
  return `${name} ${isName ? formatNames(right) : formatRight(right)}`;
}

function formatNames(right: unknown): string {
  if (typeof right === "string" && !right.startsWith("@")) return `"${right}"`;
  return formatRight(right, (name) => `"${String(name)}"`);
}

function formatLeft(left: unknown): string {
  if (typeof left === "string") return left;
  const [entry] = Object.entries(left as Expression);
  const [kind, value] = entry ?? ["", undefined];
  const parts = value as Expression;
  switch (kind) {
    case "meta": {
      const key = String(parts["key"]);
      return ["iifname", "oifname", "mark"].includes(key) ? key : `meta ${key}`;
    }
    case "payload":
      return `${String(parts["protocol"])} ${String(parts["field"])}`;
    case "ct":
      return `ct ${String(parts["key"])}`;
    case "concat":
      return (value as readonly unknown[]).map(formatLeft).join(" . ");
    case "&":
      return (value as readonly unknown[]).map(formatLeft).join(" & ");
    default:
      throw unknown(left);
  }
}

function formatRight(right: unknown, each = (one: unknown): string => formatRight(one)): string {
  if (typeof right === "string" || typeof right === "number") return String(right);
  if (Array.isArray(right)) return right.map(each).join(",");
  const { set, prefix, range, concat } = right as {
    set?: readonly unknown[] | string;
    prefix?: { readonly addr: string; readonly len: number };
    range?: readonly unknown[];
    concat?: readonly unknown[];
  };
  if (typeof set === "string") return set;
  if (set !== undefined) return `{ ${set.map(each).join(", ")} }`;
  if (prefix !== undefined) return `${prefix.addr}/${prefix.len}`;
  if (range !== undefined) return range.map(each).join("-");
  if (concat !== undefined) return concat.map(each).join(" . ");
  throw unknown(right);
}

function formatMark(value: unknown): string {
  if (typeof value !== "number") throw unknown(value);
  return `0x${value.toString(16).padStart(8, "0")}`;
}

function unknown(seen: unknown): AgentError {
  const shown = JSON.stringify(seen).slice(0, 80);
  return new AgentError("E_RULE_TEXT", `Cannot show a rule: ${shown} seen, expected a known word`);
}
