import type { Html } from "./html.ts";
import { html } from "./html.ts";
import { layOutAlone } from "./layout.ts";

/** @param problem Why the last try failed; empty for the first. */
export function renderLogin(problem: string): Html {
  return layOutAlone(
    "Log in",
    html`<h1>Log in</h1>
${problem !== "" && html`<p class="flash failed" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/login" class="stack">
<input type="text" name="username" value="operator" autocomplete="username" readonly hidden>
<label for="token">Operator token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus spellcheck="false"${
      problem !== "" && html` aria-invalid="true" aria-describedby="problem"`
    }>
<p class="hint">In the file <code>operator-token</code> of the controller's directory.</p>
<button class="primary">Log in</button>
</form>`,
  );
}

/** A message in place of a page. */
export function renderMessage(title: string, text: string): Html {
  return layOutAlone(
    title,
    html`<h1>${title}</h1>
<p>${text}</p>
<p><a class="button" href="/">Back to the machines</a></p>`,
  );
}
