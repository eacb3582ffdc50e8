/** Markup that may be sent as it is. Made by `html` alone, so every other text in it was escaped. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** For the tag below only: constant parts come from source code. */
  static fromParts(parts: readonly string[], values: readonly HtmlValue[]): Html {
    const text = parts.map((part, index) => {
      const value = values[index];
      return index < values.length ? part + render(value) : part;
    });
    return new Html(text.join(""));
  }

  toString(): string {
    return this.#text;
  }
}

/** What a template may hold; lists are joined, `null`, `undefined` and `false` are nothing. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/**
 * Template tag whose values are escaped, for text and for attributes in double quotes:
 * `` html`<a title="${title}">${text}</a>` ``. Values must not stand in attributes without quotes,
 * in scripts or in style sheets; the pages have none of these.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.fromParts(parts, values);
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(render).join("");
  return escapeText(String(value));
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
