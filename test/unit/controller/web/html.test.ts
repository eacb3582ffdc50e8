import { expect, test } from "vitest";
import { html } from "../../../../src/controller/web/html.ts";

test("values are escaped in text and in attributes", () => {
  const evil = `"><script>alert('x' & 1)</script>`;
  const escaped = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39; &amp; 1)&lt;/script&gt;";
  expect(String(html`<a title="${evil}">${evil}</a>`)).toBe(`<a title="${escaped}">${escaped}</a>`);
});

test("markup made by the tag is not escaped again, also in lists", () => {
  const items = ["a<", "b"].map((text) => html`<li>${text}</li>`);
  expect(String(html`<ul>${items}</ul>`)).toBe("<ul><li>a&lt;</li><li>b</li></ul>");
});

test("an object that looks like markup is escaped all the same", () => {
  const fake = { toString: () => "<b>" } as unknown as string;
  expect(String(html`${[String(fake)]}`)).toBe("&lt;b&gt;");
});

test("nothing is shown for null, undefined and false, but zero is", () => {
  expect(String(html`[${null}${undefined}${false}${0}]`)).toBe("[0]");
});
