import type { AuditEntry, NodeRecord } from "../types.ts";
import { summarizeBoot } from "../web/timeline.ts";
import { formatAge, formatSeconds, formatTime, formatUptime } from "../web/when.ts";
import { formatPairs, formatRows, formatTable } from "./table.ts";

/** A table of machines, those that wait for a decision first. */
export function showNodes(nodes: readonly NodeRecord[], nowMs: number): string {
  const waiting = (node: NodeRecord): number => (node.state === "pending" ? 0 : 1);
  const rows = nodes
    .toSorted((left, right) => waiting(left) - waiting(right))
    .map((node) => [
      node.id,
      node.state,
      node.macs[0] ?? "",
      [node.reported?.vendor, node.reported?.product].filter(Boolean).join(" "),
      node.heartbeat?.addresses[0] ?? node.address,
      summarizeBoot(node.heartbeat?.phases ?? []),
      node.heartbeat === null ? "never" : formatAge(nowMs - node.heartbeat.atMs),
      node.note,
    ]);
  return formatTable(
    ["id", "state", "mac", "hardware", "address", "boot", "heartbeat", "note"],
    rows,
  );
}

/** All that is known of one machine. */
export function showNode(node: NodeRecord, nowMs: number): string {
  const { reported, heartbeat } = node;
  const pairs = formatPairs([
    ["id", node.id],
    ["state", node.state],
    ["note", node.note],
    ["macs", node.macs.join(" ")],
    ["vendor", reported?.vendor ?? ""],
    ["product", reported?.product ?? ""],
    ["serial", reported?.serial ?? ""],
    ["overlay id", reported?.overlayId ?? ""],
    ["asked from", node.address],
    ["first seen", formatTime(node.firstSeenMs)],
    ["last seen", node.lastSeenMs === 0 ? "never" : formatAge(nowMs - node.lastSeenMs)],
    ["overlay address", node.overlayAddress],
    ["private", node.revision === 0 ? "none" : `revision ${node.revision}`],
    ["revoked serials", node.revokedSerials.join(" ")],
    ["heartbeat", heartbeat === null ? "never" : formatAge(nowMs - heartbeat.atMs)],
    ["host name", heartbeat?.hostname ?? ""],
    ["agent", heartbeat?.version ?? reported?.version ?? ""],
    ["up for", heartbeat === null ? "" : formatUptime(heartbeat.uptimeS)],
    ["addresses", heartbeat?.addresses.join(", ") ?? ""],
    ["boot", summarizeBoot(heartbeat?.phases ?? [])],
  ]);
  if (heartbeat === null || heartbeat.phases.length === 0) return pairs;
  const rows = heartbeat.phases.map(({ phase, state, startMs, endMs, attempts, reason }) => [
    phase,
    state,
    startMs === null ? "" : formatSeconds(startMs),
    startMs === null || endMs === null ? "" : formatSeconds(endMs - startMs),
    String(attempts),
    reason,
  ]);
  return `${pairs}\n${formatTable(["phase", "state", "start", "took", "tries", "reason"], rows)}`;
}

/** Lines of the audit log. Widths do not depend on the other lines, so that more can follow. */
export function showAudit(entries: readonly AuditEntry[]): string {
  return entries.map((entry) => formatRows([auditCells(entry)])).join("");
}

function auditCells(entry: AuditEntry): string[] {
  const { sequence, atMs, action, subject, actor, outcome, detail } = entry;
  return [
    String(sequence).padStart(6),
    formatTime(atMs),
    action.padEnd(12),
    subject.padEnd(17),
    outcome.padEnd(9),
    actor.padEnd(15),
    detail,
  ];
}
