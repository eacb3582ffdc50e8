/** Words YAML 1.1 or 1.2 readers take for something else than text. */
const RESERVED = /^(true|false|yes|no|on|off|y|n|null)$/i;

/** Text that means itself without quotes: starts with a letter or slash, no indicator inside. */
const PLAIN = /^[A-Za-z/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*$/;

/** What may not stand in a quoted scalar as it is (YAML 1.2.2, 5.1 and 5.2) beyond what JSON escapes. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A JSON value as a block-style YAML document, newline at the end included. */
export function formatYaml(value: unknown): string {
  return `${lines(JSON.parse(JSON.stringify(value ?? null))).join("\n")}\n`;
}

function lines(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.length === 0 ? ["[]"] : value.flatMap((item) => marked("- ", item));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return entries.length === 0 ? ["{}"] : entries.flatMap(([key, item]) => member(key, item));
  }
  return [scalar(value)];
}

function member(key: string, item: unknown): string[] {
  const name = `${quoted(key)}:`;
  const body = lines(item);
  if (!isBlock(item)) return [`${name} ${body[0]}`];
  return [name, ...body.map((line) => `  ${line}`)];
}

function marked(mark: string, item: unknown): string[] {
  return lines(item).map((line, index) => (index === 0 ? mark : "  ") + line);
}

/** True for a value that takes lines of its own. */
function isBlock(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function scalar(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  const text = JSON.stringify(value);
  // YAML 1.1 takes a number with an exponent for text unless it has a point.
  return /^-?\d+e/.test(text) ? text.replace("e", ".0e") : text;
}

function quoted(text: string): string {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  return JSON.stringify(text).replace(UNPRINTABLE, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
