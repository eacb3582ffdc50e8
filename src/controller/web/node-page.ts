import type { NodeRecord } from "../types.ts";
import { type Html, type HtmlValue, html } from "./html.ts";
import { layOut } from "./layout.ts";
import { ageOf, decisionForm, nameOf, renderPulse, stateBadge } from "./node-parts.ts";
import type { ViewContext } from "./nodes-page.ts";
import { renderTimeline, summarizeBoot } from "./timeline.ts";
import type { CertificateView } from "./web-controller.ts";
import { formatTime, formatUptime } from "./when.ts";

/** All that is known of one machine, and what can be decided about it. */
export function renderNode(
  node: NodeRecord,
  certificates: readonly CertificateView[],
  context: ViewContext,
): Html {
  return layOut({
    ...{ title: nameOf(node), current: "machines", ...context },
    live: new URLSearchParams({ node: node.id }).toString(),
    body: html`<p class="crumb"><a href="/">Machines</a></p>
${renderParts(node, certificates, context).map(({ part }) => part)}`,
  });
}

/** Pieces of the page by the id of their element: these are sent again when the machine changes. */
export function renderParts(
  node: NodeRecord,
  certificates: readonly CertificateView[],
  context: ViewContext,
): readonly { readonly id: string; readonly part: Html }[] {
  return [
    { id: "title", part: renderTitle(node, context) },
    { id: "decide", part: renderDecisions(node, context) },
    { id: "boot", part: renderBoot(node) },
    { id: "facts", part: renderFacts(node, context) },
    { id: "certificates", part: renderCertificates(certificates) },
  ];
}

function renderTitle(node: NodeRecord, { nowMs }: ViewContext): Html {
  return html`<header class="title" id="title">
<h1>${nameOf(node)} ${stateBadge(node)}</h1>
<p class="hint"><span class="mono">${node.id}</span> · heartbeat ${renderPulse(node, nowMs)}</p>
${node.note !== "" && html`<p class="note">${node.note}</p>`}
</header>`;
}

function renderDecisions(node: NodeRecord, { session }: ViewContext): Html {
  const common = { node, session, back: `/machines/${node.id}` };
  const approve =
    node.state === "pending"
      ? "The machine gets its unlock key with its next request, a few seconds from now."
      : "The machine may unlock again, with its next request.";
  const forms = [
    ["Approve", decisionForm({ ...common, decision: "approve" }, approve)],
    [
      "Reject",
      decisionForm(
        { ...common, decision: "reject" },
        "The machine is refused until it is approved. It goes on asking.",
      ),
    ],
    [
      "Revoke",
      decisionForm(
        { ...common, decision: "revoke" },
        "The machine goes on running, but its client certificate is refused and its next boot gets no key.",
      ),
    ],
  ] as const;
  const parts = forms
    .filter(([, form]) => form !== null)
    .map(
      ([name, form], index) =>
        html`<details${node.state === "pending" && index === 0 && html` open`}><summary>${name}…</summary>${form}</details>`,
    );
  // The script leaves it alone while the state stays: somebody may be typing a note.
  return html`<section class="decide" id="decide" data-keep="${node.state}" aria-label="Decide">${parts}</section>`;
}

function renderBoot({ heartbeat }: NodeRecord): Html {
  const content =
    heartbeat === null || heartbeat.phases.length === 0
      ? html`<p class="empty">Told by the first heartbeat, when the machine has been unlocked.</p>`
      : html`<p>${summarizeBoot(heartbeat.phases)}</p>
${renderTimeline(heartbeat.phases, heartbeat.uptimeS * 1000)}`;
  return html`<section id="boot"><h2>Last boot</h2>${content}</section>`;
}

function renderFacts(node: NodeRecord, { nowMs }: ViewContext): Html {
  const { reported, heartbeat } = node;
  const mono = (text: string | undefined): HtmlValue =>
    text && html`<span class="mono">${text}</span>`;
  const each = (texts: readonly string[]): HtmlValue =>
    texts.map((text) => html`<span class="mono line">${text}</span>`);
  const machine: readonly Fact[] = [
    ["MAC addresses", each(node.macs)],
    ["Vendor", reported?.vendor],
    ["Product", reported?.product],
    ["Serial number", mono(reported?.serial)],
    ["Overlay id", mono(reported?.overlayId)],
    ["Agent asked with", mono(reported?.version)],
    ["Asked from", mono(node.address)],
    ["First seen", node.firstSeenMs > 0 && formatTime(node.firstSeenMs)],
    ["Last seen", ageOf(node.lastSeenMs, nowMs)],
  ];
  const running: readonly Fact[] =
    heartbeat === null
      ? []
      : [
          ["Host name", heartbeat.hostname],
          ["Agent", mono(heartbeat.version)],
          ["Up for", formatUptime(heartbeat.uptimeS)],
          ["Addresses", each(heartbeat.addresses)],
          ["Heartbeat from", mono(heartbeat.from)],
        ];
  const settings: readonly Fact[] = [
    ["Overlay address", mono(node.overlayAddress) || "any"],
    ["Private configuration", node.revision === 0 ? "none uploaded" : `revision ${node.revision}`],
  ];
  return html`<div id="facts" class="columns">
<section><h2>Machine</h2>${renderPairs(machine)}</section>
<section><h2>Running</h2>${running.length === 0 ? html`<p class="empty">No heartbeat yet.</p>` : renderPairs(running)}
<h2>Settings</h2>${renderPairs(settings)}</section>
</div>`;
}

type Fact = readonly [name: string, value: HtmlValue];

function renderPairs(facts: readonly Fact[]): Html {
  const isNothing = (value: HtmlValue): boolean =>
    !value || (Array.isArray(value) && value.length === 0);
  return html`<dl>${facts.map(
    ([name, value]) =>
      html`<div><dt>${name}</dt><dd>${isNothing(value) ? html`<span class="hint">not known</span>` : value}</dd></div>`,
  )}</dl>`;
}

function renderCertificates(certificates: readonly CertificateView[]): Html {
  const rows = certificates.map(
    ({ serial, issuedMs, expiresMs, isRevoked }) =>
      html`<tr><th scope="row" class="mono">${serial}</th><td data-label="Issued">${formatTime(issuedMs)}</td><td data-label="Expires">${formatTime(expiresMs)}</td><td data-label="State">${
        isRevoked
          ? html`<span class="badge revoked">revoked</span>`
          : html`<span class="badge approved">good</span>`
      }</td></tr>`,
  );
  const content =
    rows.length === 0
      ? html`<p class="empty">None issued.</p>`
      : html`<div class="scroll"><table class="cards"><thead><tr><th scope="col">Serial number</th><th scope="col">Issued</th><th scope="col">Expires</th><th scope="col">State</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return html`<section id="certificates"><h2>Client certificates</h2>${content}</section>`;
}
