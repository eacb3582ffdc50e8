import { createHash } from "node:crypto";
import { AgentError } from "../base/errors.ts";
import {
  isRuleInterface,
  type OpenPort,
  type Origin,
  parseOpenPort,
  parseOrigin,
} from "../config/node-config-firewall.ts";
import type { Connection } from "./firewall-connections.ts";
import { formatOpening, type Opening } from "./firewall-openings.ts";

/** What may reach the node itself. Forwarded and outgoing packets are nobody's business here. */
export interface FirewallPolicy {
  /** Interfaces from which {@link FirewallPolicy.ports} are accepted; they need not exist yet. */
  readonly overlayInterfaces: readonly string[];
  /** TCP ports of endpoint and sshd. */
  readonly ports: readonly number[];
  /** UDP port of the overlay daemon itself; null where there is none. */
  readonly zerotierPort: number | null;
  /** Interfaces, addresses and `ADDRESS/PREFIX` that are as good as the overlay. */
  readonly allowFrom: readonly string[];
  /** Ports open to everybody. */
  readonly open: readonly OpenPort[];
}

/** Family and name of the one table that is ours. */
export const TABLE = ["inet", "node0"] as const;

/** Chain of what was opened while the machine is up; changed without the rest of the table. */
export const OPENED = "opened";

/** Mark of our last rule, followed by the digest: a table without it is not as we left it. */
export const MARK = "node0 ";

const MARK_BYTES = 16;

/**
 * Text for `nft -f -`: one transaction that puts our table in place of the one before, whether or not
 * there was one.
 *
 * @param openings What is let in beside the policy.
 * @param connections TCP connections that exist already. The kernel tracks none before the first rule
 *   asks for it, and takes their next incoming packet for the first of a new one.
 * @throws AgentError `E_FIREWALL_POLICY` for a value that cannot be put into a rule.
 * Source: nft(8).
 */
export function buildRuleset(
  policy: FirewallPolicy,
  connections: readonly Connection[] = [],
  openings: readonly Opening[] = [],
): string {
  const table = TABLE.join(" ");
  const rules = buildRules(policy);
  return [
    ...clearTable(),
    `table ${table} {`,
    ...formatSet("earlier4", "ipv4_addr", connections),
    ...formatSet("earlier6", "ipv6_addr", connections),
    `  chain ${OPENED} {`,
    ...openings.map((opening) => `    ${formatOpeningRule(opening)}`),
    "  }",
    "  chain input {",
    "    type filter hook input priority filter; policy drop;",
    ...rules.map((rule) => `    ${rule}`),
    `    counter drop comment "${MARK}${digestOf(policy)}"`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Lines that change nothing but what is opened. */
export function buildOpenings(openings: readonly Opening[]): string {
  const chain = `${TABLE.join(" ")} ${OPENED}`;
  const rules = openings.map((opening) => `add rule ${chain} ${formatOpeningRule(opening)}`);
  return [`flush chain ${chain}`, ...rules, ""].join("\n");
}

/** Name of an opening, which its rule carries. */
export function openingMark(opening: Opening): string {
  return (
    MARK + createHash("sha256").update(formatOpening(opening)).digest("hex").slice(0, MARK_BYTES)
  );
}

function formatOpeningRule(opening: Opening): string {
  return `${formatOpening(opening)} comment "${openingMark(opening)}"`;
}

/** Lines that take our table away; no error where there is none, because the first one makes it. */
export function clearTable(): string[] {
  return [`table ${TABLE.join(" ")}`, `delete table ${TABLE.join(" ")}`];
}

/** What a table made from this policy must look like: name of its rules and how many there are. */
export function expectedTable(policy: FirewallPolicy): { digest: string; rules: number } {
  return { digest: digestOf(policy), rules: buildRules(policy).length + 1 };
}

function digestOf(policy: FirewallPolicy): string {
  return createHash("sha256")
    .update(buildRules(policy).join("\n"))
    .digest("hex")
    .slice(0, MARK_BYTES);
}

function buildRules(policy: FirewallPolicy): string[] {
  const ports = formatPorts(policy.ports);
  const overlay = policy.overlayInterfaces.map((name) => ({ kind: "interface", name }) as const);
  const allowed = policy.allowFrom.map(readOrigin);
  return [
    "ct state established,related accept",
    // Without SYN: these can go on, and nothing can be opened with their numbers.
    "tcp flags & syn == 0 ip daddr . tcp dport . ip saddr . tcp sport @earlier4 accept",
    "tcp flags & syn == 0 ip6 daddr . tcp dport . ip6 saddr . tcp sport @earlier6 accept",
    "ct state invalid drop",
    'iifname "lo" accept',
    // ICMP and ICMPv6, all of it: path MTU, neighbours, router advertisements, ping. By number: names
    // would be looked up in /etc/protocols, which the image does not have.
    "meta l4proto { 1, 58 } accept",
    // Answers of DHCP servers, which often come from another address than was asked.
    "udp dport { 68, 546 } accept",
    ...(policy.zerotierPort === null
      ? []
      : [`udp dport ${portNumber(policy.zerotierPort)} accept`]),
    ...(ports === "" ? [] : [...overlay, ...allowed].map((from) => acceptFrom(from, ports))),
    ...policy.open.map(formatOpen),
    `jump ${OPENED}`,
  ];
}

function acceptFrom(origin: Origin, ports: string): string {
  if (origin.kind === "interface") {
    if (!isRuleInterface(origin.name)) throw unusable("an interface", origin.name, INTERFACE);
    return `iifname "${origin.name}" tcp dport ${ports} accept`;
  }
  return `${origin.family === 4 ? "ip" : "ip6"} saddr ${origin.network} tcp dport ${ports} accept`;
}

const INTERFACE = "1 to 15 letters, digits, dots, hyphens and underscores";

function readOrigin(text: string): Origin {
  const origin = parseOrigin(text);
  if (origin === undefined)
    throw unusable("allow_from", text, "an interface, ADDRESS or ADDRESS/PREFIX");
  return origin;
}

function formatOpen({ protocol, port }: OpenPort): string {
  const read = parseOpenPort(`${protocol}/${port}`);
  if (read === undefined) throw unusable("open", `${protocol}/${port}`, "tcp/PORT or udp/PORT");
  return `${read.protocol} dport ${read.port} accept`;
}

function formatPorts(ports: readonly number[]): string {
  const numbers = [...new Set(ports.map(portNumber))].sort((a, b) => a - b);
  return numbers.length === 0 ? "" : `{ ${numbers.join(", ")} }`;
}

function portNumber(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw unusable("a port", String(port), "an integer from 1 to 65535");
}

function formatSet(
  name: string,
  type: "ipv4_addr" | "ipv6_addr",
  connections: readonly Connection[],
): string[] {
  const family = type === "ipv4_addr" ? 4 : 6;
  const elements = connections
    .filter((entry) => entry.family === family)
    .map(({ local, remote }) =>
      [local.address, local.port, remote.address, remote.port].join(" . "),
    );
  return [
    `  set ${name} {`,
    `    type ${type} . inet_service . ${type} . inet_service`,
    ...(elements.length === 0 ? [] : [`    elements = { ${elements.join(", ")} }`]),
    "  }",
  ];
}

function unusable(what: string, seen: string, wanted: string): AgentError {
  const shown = JSON.stringify(seen.length > 60 ? `${seen.slice(0, 57)}...` : seen);
  return new AgentError(
    "E_FIREWALL_POLICY",
    `Cannot use ${what} in a packet filter rule: ${shown} seen, expected ${wanted}`,
  );
}
