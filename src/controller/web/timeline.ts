import type { HeartbeatRequest } from "../../vault/controller-api.ts";
import { type Html, html } from "./html.ts";
import { formatSeconds } from "./when.ts";

type Phase = HeartbeatRequest["phases"][number];

/** Drawn in thousandths of the whole, so that no number depends on the size of the screen. */
const UNITS = 1000;

/** Phases that took no time stay visible. */
const LEAST_UNITS = 6;

const STATES = ["pending", "running", "retrying", "done", "skipped", "failed"];

/** The boot in one line: `booted in 4.12 s`, or the phase it is at. */
export function summarizeBoot(phases: readonly Phase[]): string {
  if (phases.length === 0) return "";
  const failed = phases.find(({ state }) => state === "failed");
  if (failed !== undefined) return `${failed.phase} failed`;
  const busy = phases.find(({ state }) => state === "running" || state === "retrying");
  if (busy !== undefined) {
    const tries = busy.attempts > 1 ? `, try ${busy.attempts}` : "";
    return `${busy.phase} ${busy.state}${tries}`;
  }
  if (phases.some(({ state }) => state === "pending")) return "booting";
  return `booted in ${formatSeconds(endOf(phases))}`;
}

/** All phases in one strip without text; its meaning is told beside it. */
export function renderStrip(phases: readonly Phase[], lastMs: number): Html {
  const wholeMs = wholeOf(phases, lastMs);
  return html`<svg class="strip" viewBox="0 0 ${UNITS} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="ground" width="${UNITS}" height="10"/>${phases.map(
    (phase) => renderBar(phase, wholeMs, lastMs),
  )}</svg>`;
}

/**
 * A table with a bar for each phase; the numbers say the same to those who do not see the bars.
 *
 * @param lastMs Uptime of the machine when it told this, in milliseconds: where running phases end.
 */
export function renderTimeline(phases: readonly Phase[], lastMs: number): Html {
  const wholeMs = wholeOf(phases, lastMs);
  const rows = phases.map((phase) => {
    const { startMs, endMs, attempts } = phase;
    const took = startMs === null ? "" : formatSeconds((endMs ?? lastMs) - startMs);
    return html`<tr>
<th scope="row">${phase.phase}</th>
<td data-label="State"><span class="phase ${stateClass(phase)}">${phase.state}</span></td>
<td class="chart" aria-hidden="true"><svg viewBox="0 0 ${UNITS} 10" preserveAspectRatio="none"><rect class="ground" width="${UNITS}" height="10"/>${renderBar(phase, wholeMs, lastMs)}</svg></td>
<td class="number" data-label="Start">${startMs === null ? "" : formatSeconds(startMs)}</td>
<td class="number" data-label="Took">${took}</td>
<td class="number" data-label="Tries">${attempts}</td>
<td class="reason" data-label="Reason">${phase.reason}</td>
</tr>`;
  });
  return html`<div class="scroll"><table class="timeline cards">
<caption class="unseen">Phases of the last boot, in seconds since the kernel started</caption>
<thead><tr><th scope="col">Phase</th><th scope="col">State</th><th class="chart" aria-hidden="true">0 to ${formatSeconds(wholeMs)}</th><th scope="col" class="number">Start</th><th scope="col" class="number">Took</th><th scope="col" class="number">Tries</th><th scope="col">Reason</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

function renderBar(phase: Phase, wholeMs: number, lastMs: number): Html | null {
  const { startMs, endMs } = phase;
  if (startMs === null) return null;
  const scale = (ms: number): number =>
    Math.max(0, Math.min(UNITS, Math.round((ms / wholeMs) * UNITS)));
  const width = Math.max(LEAST_UNITS, scale(endMs ?? lastMs) - scale(startMs));
  const x = Math.min(scale(startMs), UNITS - width);
  return html`<rect class="${stateClass(phase)}" x="${x}" width="${width}" height="10"/>`;
}

/** States come from the machine: others than those known get no class of their own. */
function stateClass({ state }: Phase): string {
  return STATES.includes(state) ? state : "pending";
}

function endOf(phases: readonly Phase[]): number {
  return Math.max(...phases.map(({ startMs, endMs }) => endMs ?? startMs ?? 0));
}

function wholeOf(phases: readonly Phase[], lastMs: number): number {
  const isOpen = phases.some(({ startMs, endMs }) => startMs !== null && endMs === null);
  return Math.max(1, isOpen ? lastMs : 0, phases.length === 0 ? 0 : endOf(phases));
}
