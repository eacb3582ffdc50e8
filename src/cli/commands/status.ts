import { formatEndpoint } from "../../client/errors.ts";
import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Paint, Style } from "../paint.ts";
import { type Cell, formatPairs, formatTable } from "../table.ts";
import { formatDuration, formatMs } from "../units.ts";
import { addressesOf, ask, formatVersion } from "./info.ts";

type Facts = Readonly<Record<string, unknown>>;

/** One phase of `boot.status`. */
interface Phase {
  readonly phase: string;
  readonly state: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly attempts: number;
  readonly reason: string;
}

interface Status {
  readonly endpoint: string;
  readonly version: Facts;
  readonly hostname: string;
  readonly uptimeS: number;
  /** Milliseconds from kernel start; null while the machine boots, and on a host. */
  readonly bootedAfterMs: number | null;
  readonly phases: readonly Phase[];
  readonly addresses: readonly { readonly name: string; readonly addrs: readonly string[] }[];
}

const STYLES: Readonly<Record<string, Style>> = {
  done: "green",
  running: "yellow",
  retrying: "yellow",
  failed: "red",
  pending: "dim",
  skipped: "dim",
};

export const status: CliCommand = {
  name: "status",
  summary: "Show how the machine booted, its addresses and its version",
  options: [],
  operands: [],
  details: ["Exit code 1 when a phase of the boot has failed."],
  examples: ["node0 status", "node0 status -o json"],
  async run(invocation) {
    const client = await invocation.connect();
    const [boot, version, os, nics] = (await Promise.all([
      client.value("boot.status", {}, invocation.limits),
      ask(invocation, "version"),
      ask(invocation, "os"),
      ask(invocation, "nic"),
    ])) as [{ finished_ms: number | null; phases: Phase[] }, Facts, Facts, Facts[]];
    const facts: Status = {
      endpoint: formatEndpoint(client.endpoint),
      version,
      hostname: String(os["hostname"]),
      uptimeS: Number(os["uptime"]),
      bootedAfterMs: boot.finished_ms,
      phases: boot.phases,
      addresses: nics
        .map((nic) => ({ name: String(nic["name"]), addrs: addressesOf(nic) }))
        .filter(({ name, addrs }) => name !== "lo" && addrs.length > 0),
    };
    await invocation.print(facts, () => formatStatus(facts, invocation.paint));
    return facts.phases.some(({ state }) => state === "failed") ? EXIT.failure : EXIT.ok;
  },
};

/** The text of `node0 status`. */
export function formatStatus(facts: Status, paint: Paint): string {
  const addresses = facts.addresses.map(({ name, addrs }) => `${name} ${addrs.join(" ")}`);
  const pairs: (readonly [string, Cell])[] = [
    ["machine", `${facts.hostname} at ${facts.endpoint}`],
    ["version", formatVersion(facts.version)],
    ["up for", formatDuration(facts.uptimeS)],
    ["boot", bootText(facts)],
    ...addresses.map((text, index) => [index === 0 ? "addresses" : "", text] as const),
  ];
  const head = formatPairs(pairs, paint);
  return facts.phases.length === 0 ? head : `${head}\n${formatPhases(facts.phases, paint)}`;
}

function bootText({ phases, bootedAfterMs }: Status): Cell {
  if (phases.length === 0) return "none: the agent runs on a host";
  if (bootedAfterMs === null) return { text: "still going on", style: "yellow" };
  return { text: `done ${formatMs(bootedAfterMs)} after kernel start`, style: "green" };
}

function formatPhases(phases: readonly Phase[], paint: Paint): string {
  const rows = phases.map((phase): Cell[] => [
    phase.phase,
    { text: phase.state, style: STYLES[phase.state] ?? "bold" },
    phase.startMs === null ? "-" : formatMs(phase.startMs),
    durationOf(phase),
    String(phase.attempts),
    phase.reason,
  ]);
  return formatTable(["PHASE", "STATE", "START", "TOOK", "TRIES", "REASON"], rows, paint);
}

function durationOf({ startMs, endMs }: Phase): string {
  return startMs === null || endMs === null ? "-" : formatMs(endMs - startMs);
}
