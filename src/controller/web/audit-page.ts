import type { AuditEntry } from "../types.ts";
import { type Html, html } from "./html.ts";
import { layOut } from "./layout.ts";
import type { ViewContext } from "./nodes-page.ts";
import { formatTime } from "./when.ts";

export const AUDIT_PAGE_SIZE = 50;

export interface AuditPage {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Sequence number of the newest entry on this page, and of the newest of all. */
  readonly last: number;
  readonly end: number;
}

/** Sequence number of the newest entry on the page a query asks for. */
export function readAuditLast(query: URLSearchParams, end: number): number {
  const wanted = Number(query.get("until") ?? end);
  return Number.isSafeInteger(wanted) ? Math.max(0, Math.min(wanted, end)) : end;
}

/** The audit log, newest first. Numbers have no gaps, so pages stay where they are. */
export function renderAudit({ entries, last, end }: AuditPage, context: ViewContext): Html {
  const rows = entries
    .toReversed()
    .map(
      ({ sequence, atMs, action, subject, actor, outcome, detail, digest }) =>
        html`<tr><td class="number" data-label="No.">${sequence}</td><td class="mono time" data-label="Time">${formatTime(atMs)}</td><th scope="row">${action}</th><td data-label="Machine">${renderSubject(subject)}</td><td class="mono" data-label="By">${actor}</td><td data-label="Outcome"><span class="outcome ${outcomeClass(outcome)}">${outcome}</span></td><td data-label="Detail">${detail}</td><td class="mono digest" data-label="Digest"><span title="${digest}">${digest.slice(0, 12)}</span></td></tr>`,
    );
  return layOut({
    ...{ title: "Audit log", current: "audit", ...context },
    body: html`<h1>Audit log</h1>
<p class="hint">Every request for a key and every decision, newest first. Each line is chained to the one before by its digest.</p>
<div class="scroll"><table class="audit cards">
<caption class="unseen">Audit log, newest first</caption>
<thead><tr><th scope="col" class="number">No.</th><th scope="col">Time</th><th scope="col">Action</th><th scope="col">Machine</th><th scope="col">By</th><th scope="col">Outcome</th><th scope="col">Detail</th><th scope="col">Digest</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
${rows.length === 0 && html`<p class="empty">Nothing has happened yet.</p>`}
${renderPager(last, end)}`,
  });
}

function renderPager(last: number, end: number): Html | null {
  if (end <= AUDIT_PAGE_SIZE) return null;
  const first = Math.max(1, last - AUDIT_PAGE_SIZE + 1);
  const newer = last + AUDIT_PAGE_SIZE;
  return html`<nav class="pager" aria-label="Pages">${
    last < end &&
    html`<a class="button" href="${newer >= end ? "/audit" : `/audit?until=${newer}`}">Newer</a>`
  }<span>${first} to ${last} of ${end}</span>${
    first > 1 && html`<a class="button" href="/audit?until=${first - 1}">Older</a>`
  }</nav>`;
}

/** Node ids are links, addresses are not. */
function renderSubject(subject: string): Html | null {
  if (subject === "") return null;
  return /^[a-z0-9]{12}$/.test(subject)
    ? html`<a class="mono" href="/machines/${subject}">${subject}</a>`
    : html`<span class="mono">${subject}</span>`;
}

function outcomeClass(outcome: string): string {
  if (outcome === "approved" || outcome === "done") return "good";
  return outcome === "pending" ? "waiting" : "bad";
}
