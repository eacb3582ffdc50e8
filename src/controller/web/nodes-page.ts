import type { NodeRecord, NodeState } from "../types.ts";
import { type Html, html } from "./html.ts";
import { layOut } from "./layout.ts";
import { decisionButton, nameOf, renderPulse, stateBadge } from "./node-parts.ts";
import type { Session } from "./sessions.ts";
import { renderStrip, summarizeBoot } from "./timeline.ts";
import type { WebController } from "./web-controller.ts";

/** What the list shows: a state, machines that hold a text, a page of both. */
export interface NodesView {
  readonly state: NodeState | "";
  readonly search: string;
  /** From 0. */
  readonly page: number;
}

export interface ViewContext {
  readonly session: Session;
  readonly nowMs: number;
}

export const NODE_STATES: readonly NodeState[] = ["pending", "approved", "rejected", "revoked"];

/** Machines on one page. */
const PAGE_SIZE = 100;

export type Counts = Readonly<Record<NodeState, number>>;

const NO_MACHINES: Counts = { pending: 0, approved: 0, rejected: 0, revoked: 0 };

/** What the list is ordered by. */
type Place = Pick<NodeRecord, "id" | "state" | "firstSeenMs">;

export function readView(query: URLSearchParams): NodesView {
  const state = NODE_STATES.find((name) => name === query.get("state")) ?? "";
  const page = Number(query.get("page") ?? 0);
  return {
    state,
    search: (query.get("search") ?? "").slice(0, 100),
    page: Number.isSafeInteger(page) && page >= 0 ? page : 0,
  };
}

export function countStates(nodes: Iterable<{ readonly state: NodeState }>): Counts {
  const counts: Record<NodeState, number> = { ...NO_MACHINES };
  for (const { state } of nodes) counts[state] += 1;
  return counts;
}

/** Whether a machine belongs into a list; the text is looked for in all a person may know of it. */
export function isInView(node: NodeRecord, { state, search }: NodesView): boolean {
  if (state !== "" && node.state !== state) return false;
  if (search === "") return true;
  const { reported, heartbeat } = node;
  const texts = [
    ...[node.id, node.address, node.overlayAddress, node.note, ...node.macs],
    ...[reported?.serial, reported?.vendor, reported?.product, reported?.overlayId],
    ...[heartbeat?.hostname, ...(heartbeat?.addresses ?? [])],
  ];
  const wanted = search.toLowerCase();
  return texts.some((text) => text?.toLowerCase().includes(wanted));
}

/** What one page of the list holds. */
export interface NodesPage {
  readonly shown: readonly NodeRecord[];
  readonly counts: Counts;
  /** From 0; the last one where the view asked for more. */
  readonly page: number;
  readonly pages: number;
}

/**
 * Picks the machines of a page. Of the others only what they are ordered by is kept: with ten thousand
 * machines that is a few megabytes less.
 */
export async function pickNodes(
  controller: Pick<WebController, "listNodes" | "getNode">,
  view: NodesView,
): Promise<NodesPage> {
  const counts: Record<NodeState, number> = { ...NO_MACHINES };
  const found: Place[] = [];
  for await (const node of await controller.listNodes()) {
    counts[node.state] += 1;
    const { id, state, firstSeenMs } = node;
    if (isInView(node, view)) found.push({ id, state, firstSeenMs });
  }
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const page = Math.min(view.page, pages - 1);
  const places = found.sort(byUrgency).slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
  const shown = await Promise.all(places.map(({ id }) => controller.getNode(id)));
  return { shown: shown.filter((node) => node !== undefined), counts, page, pages };
}

export function renderNodes(
  { shown, counts, page, pages }: NodesPage,
  view: NodesView,
  context: ViewContext,
): Html {
  const live = new URLSearchParams(viewQuery({ ...view, page }));
  for (const { id } of shown) live.append("id", id);
  return layOut({
    ...{ title: "Machines", current: "machines", ...context },
    live: live.toString(),
    body: html`<h1>Machines</h1>
${renderCounts(counts, view)}
<form class="search" role="search" method="get" action="/">
${view.state !== "" && html`<input type="hidden" name="state" value="${view.state}">`}
<label for="search" class="unseen">Search</label>
<input id="search" name="search" type="search" value="${view.search}" placeholder="MAC, serial, address, name" maxlength="100">
<button>Search</button>
</form>
<div class="scroll"><table class="nodes cards">
<caption class="unseen">Machines, those that wait for a decision first</caption>
<thead><tr><th scope="col">Machine</th><th scope="col">State</th><th scope="col">Hardware</th><th scope="col">Address</th><th scope="col">Last boot</th><th scope="col">Heartbeat</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody id="nodes">${shown.map((node) => renderRow(node, view, context))}</tbody>
</table></div>
${shown.length === 0 && html`<p class="empty" id="empty">${emptyText(counts, view)}</p>`}
${renderPager(page, pages, view)}`,
  });
}

/** One row; also what is sent when the machine changes. */
export function renderRow(
  node: NodeRecord,
  view: NodesView,
  { session, nowMs }: ViewContext,
): Html {
  const { reported, heartbeat, macs } = node;
  const back = listPath(view);
  const phases = heartbeat?.phases ?? [];
  const addresses = heartbeat?.addresses.length ? heartbeat.addresses : [node.address];
  const product = [reported?.vendor, reported?.product].filter(Boolean).join(" ");
  return html`<tr id="node-${node.id}">
<th scope="row"><a href="/machines/${node.id}">${nameOf(node)}</a><span class="sub mono">${node.id}</span></th>
<td data-label="State">${stateBadge(node)}${node.note !== "" && html`<span class="sub">${node.note}</span>`}</td>
<td data-label="Hardware"><span class="mono">${macs[0] ?? ""}</span>${macs.length > 1 && html` <span class="hint">+${macs.length - 1}</span>`}<span class="sub">${product}</span>${reported?.serial && html`<span class="sub mono">${reported.serial}</span>`}</td>
<td data-label="Address" class="mono">${addresses.slice(0, 2).map((text) => html`<span class="line">${text}</span>`)}${addresses.length > 2 && html`<span class="sub">+${addresses.length - 2}</span>`}</td>
<td data-label="Last boot">${phases.length > 0 && html`${summarizeBoot(phases)}${renderStrip(phases, (heartbeat?.uptimeS ?? 0) * 1000)}`}</td>
<td data-label="Heartbeat">${renderPulse(node, nowMs)}</td>
<td class="actions">${node.state === "pending" && html`<div class="buttons">${decisionButton({ node, decision: "approve", session, back })}${decisionButton({ node, decision: "reject", session, back })}</div>`}</td>
</tr>`;
}

/** Links to the states with how many machines are in each. */
export function renderCounts(counts: Counts, view: NodesView): Html {
  const all = NODE_STATES.reduce((sum, state) => sum + counts[state], 0);
  const link = (state: NodeState | "", text: string, count: number): Html => {
    const path = listPath({ state, search: view.search, page: 0 });
    return html`<li><a href="${path}"${view.state === state && html` aria-current="true"`}>${text} <span class="count">${count}</span></a></li>`;
  };
  return html`<nav id="counts" aria-label="States"><ul class="tabs">${link("", "All", all)}${NODE_STATES.map(
    (state) => link(state, `${state[0]?.toUpperCase()}${state.slice(1)}`, counts[state]),
  )}</ul></nav>`;
}

function listPath(view: NodesView): string {
  const query = viewQuery(view);
  return query === "" ? "/" : `/?${query}`;
}

function viewQuery({ state, search, page }: NodesView): string {
  const query = new URLSearchParams();
  if (state !== "") query.set("state", state);
  if (search !== "") query.set("search", search);
  if (page !== 0) query.set("page", String(page));
  return query.toString();
}

/** Those that wait for a person first, then the newest. */
function byUrgency(left: Place, right: Place): number {
  const rank = ({ state }: Place): number => NODE_STATES.indexOf(state);
  return (
    rank(left) - rank(right) ||
    right.firstSeenMs - left.firstSeenMs ||
    (left.id < right.id ? -1 : 1)
  );
}

function emptyText(counts: Counts, { state, search }: NodesView): string {
  if (NODE_STATES.every((name) => counts[name] === 0))
    return "No machine has asked yet. The first request of a machine puts it here.";
  if (search !== "") return `No machine with “${search}”.`;
  return `No ${state} machine.`;
}

function renderPager(page: number, pages: number, view: NodesView): Html | null {
  if (pages === 1) return null;
  const link = (to: number, text: string): Html | false =>
    to >= 0 &&
    to < pages &&
    html`<a class="button" href="${listPath({ ...view, page: to })}">${text}</a>`;
  return html`<nav class="pager" aria-label="Pages">${link(page - 1, "Previous")}<span>Page ${page + 1} of ${pages}</span>${link(page + 1, "Next")}</nav>`;
}
