import type { Policy } from "../types.ts";
import { type Html, html } from "./html.ts";
import { csrfField, layOut } from "./layout.ts";
import type { ViewContext } from "./nodes-page.ts";

/** Policies in the order they are offered, with what they mean. */
export const POLICIES: readonly (readonly [name: Policy, text: string])[] = [
  ["manual", "An operator approves each machine by hand."],
  [
    "registered",
    "Machines whose MAC addresses were registered before are approved with their first request; all others wait for an operator.",
  ],
  [
    "overlay",
    "An operator approves each machine, and keys are given only to requests that come from the machine's overlay address.",
  ],
];

export function renderPolicy(policy: Policy, context: ViewContext): Html {
  const choices = POLICIES.map(
    ([name, text]) =>
      html`<div class="choice"><input type="radio" name="policy" id="policy-${name}" value="${name}"${name === policy && html` checked`} aria-describedby="about-${name}"><label for="policy-${name}">${name}</label><p id="about-${name}">${text}</p></div>`,
  );
  return layOut({
    ...{ title: "Policy", current: "policy", ...context },
    body: html`<h1>Policy</h1>
<form method="post" action="/policy" class="stack policy">${csrfField(context.session)}
<fieldset><legend>How machines come to their unlock key</legend>
${choices}
</fieldset>
<button class="primary">Save</button>
</form>`,
  });
}
