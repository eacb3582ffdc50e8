import { type Html, type HtmlValue, html } from "./html.ts";
import type { Session } from "./sessions.ts";

export interface PageParts {
  readonly title: string;
  /** Entry of the navigation that is marked as the current one; empty: none. */
  readonly current: "machines" | "audit" | "policy" | "";
  readonly session: Session;
  readonly nowMs: number;
  /** Query of the event stream that keeps the page up to date; undefined: nothing changes on it. */
  readonly live?: string;
  readonly body: HtmlValue;
}

const LINKS = [
  ["machines", "/", "Machines"],
  ["audit", "/audit", "Audit log"],
  ["policy", "/policy", "Policy"],
] as const;

/** A page of a logged-in operator. Shows the message of the last action, once. */
export function layOut({ title, current, session, nowMs, live, body }: PageParts): Html {
  const { flash } = session;
  session.flash = undefined;
  const links = LINKS.map(
    ([name, path, text]) =>
      html`<li><a href="${path}"${name === current && html` aria-current="page"`}>${text}</a></li>`,
  );
  return html`${head(title)}
<body data-now="${nowMs}"${live !== undefined && html` data-live="/events?${live}"`}>
<a class="skip" href="#content">Skip to content</a>
<header class="bar">
<div class="wide">
<a class="brand" href="/"><span aria-hidden="true" class="mark"></span>node0 controller</a>
<nav aria-label="Main"><ul class="menu">${links}</ul></nav>
<form method="post" action="/logout">${csrfField(session)}<button class="quiet">Log out</button></form>
</div>
</header>
<main id="content" class="wide" tabindex="-1">
${
  flash !== undefined &&
  html`<p class="flash ${flash.kind}" role="${flash.kind === "failed" ? "alert" : "status"}">${flash.text}</p>`
}
${body}
</main>
<footer class="wide">
<p>Times are UTC. <span id="live" role="status"><noscript>Without JavaScript this page shows the moment it was loaded.</noscript></span></p>
</footer>
</body>
</html>
`;
}

/** A page without session: login, and what cannot be shown. */
export function layOutAlone(title: string, body: HtmlValue): Html {
  return html`${head(title)}
<body class="alone">
<main id="content">
<p class="brand"><span aria-hidden="true" class="mark"></span>node0 controller</p>
${body}
</main>
</body>
</html>
`;
}

export function csrfField({ csrf }: Session): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}

function head(title: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · node0 controller</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css">
<script src="/assets/page.js" defer></script>
</head>`;
}
