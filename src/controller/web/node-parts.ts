import type { NodeRecord } from "../types.ts";
import { type Html, html } from "./html.ts";
import { csrfField } from "./layout.ts";
import type { Session } from "./sessions.ts";
import { DECISIONS, type DecisionName } from "./web-controller.ts";
import { formatAge, formatTime } from "./when.ts";

/** Heartbeats come every 30 s: a machine is silent when three in a row are missing. */
const SILENT_MS = 95_000;

export function stateBadge({ state }: NodeRecord): Html {
  return html`<span class="badge ${state}">${state}</span>`;
}

/** A moment as its age; the script keeps it counting. Empty for 0. */
export function ageOf(atMs: number, nowMs: number): Html | null {
  if (atMs === 0) return null;
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}" title="${formatTime(atMs)}" data-at="${atMs}">${formatAge(nowMs - atMs)}</time>`;
}

/** Age of the last heartbeat, marked when the machine has fallen silent. */
export function renderPulse({ heartbeat }: NodeRecord, nowMs: number): Html {
  if (heartbeat === null) return html`<span class="pulse none">never</span>`;
  const { atMs } = heartbeat;
  const isSilent = nowMs - atMs > SILENT_MS;
  return html`<span class="pulse ${isSilent ? "silent" : "alive"}" data-silent-ms="${SILENT_MS}">${ageOf(atMs, nowMs)}</span>`;
}

/** What to call a machine: the name it gave itself, otherwise its product, otherwise its first MAC. */
export function nameOf({ heartbeat, reported, macs, id }: NodeRecord): string {
  return heartbeat?.hostname || reported?.product || macs[0] || id;
}

export interface DecisionForm {
  readonly node: NodeRecord;
  readonly decision: DecisionName;
  readonly session: Session;
  /** Page to go to afterwards. */
  readonly back: string;
}

/**
 * A button that decides at once. The form tells the state the operator saw: a decision made by
 * somebody else meanwhile is not undone by it.
 */
export function decisionButton({ node, decision, session, back }: DecisionForm): Html | null {
  if (!DECISIONS[decision].includes(node.state)) return null;
  const kind = decision === "approve" ? "primary" : "danger";
  return html`<form method="post" action="/machines/${node.id}/${decision}">${formFields(node, session, back)}<button class="${kind}" aria-label="${label(decision)} ${nameOf(node)} ${node.id}">${label(decision)}</button></form>`;
}

/** The same with room for a note and the consequence in words. */
export function decisionForm(form: DecisionForm, consequence: string): Html | null {
  const { node, decision, session, back } = form;
  if (!DECISIONS[decision].includes(node.state)) return null;
  const kind = decision === "approve" ? "primary" : "danger";
  const noteId = `note-${decision}`;
  return html`<form method="post" action="/machines/${node.id}/${decision}" class="stack decision">${formFields(node, session, back)}
<p>${consequence}</p>
<label for="${noteId}">Note <span class="hint">(optional, shown with the machine and in the audit log)</span></label>
<input id="${noteId}" name="note" maxlength="256" autocomplete="off">
<button class="${kind}">${label(decision)}</button>
</form>`;
}

function formFields(node: NodeRecord, session: Session, back: string): Html {
  return html`${csrfField(session)}<input type="hidden" name="seen" value="${node.state}"><input type="hidden" name="back" value="${back}">`;
}

function label(decision: DecisionName): string {
  return { approve: "Approve", reject: "Reject", revoke: "Revoke" }[decision];
}
