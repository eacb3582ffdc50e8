import type { Bytes } from "./bytes.ts";

/**
 * Splits one inline request into words. Words are separated by white space; `"…"` understands
 * `\n \r \t \b \a \\ \" \xHH`, `'…'` only `\'`; a closing quote must end its word.
 *
 * @returns Undefined when a quote is not closed or is followed by more of the word.
 */
export function splitInline(line: Bytes): Bytes[] | undefined {
  const words: Bytes[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line.charCodeAt(at))) at += 1;
    if (at >= line.length) return words;
    const word = readWord(line, at);
    if (word === undefined) return undefined;
    words.push(word.text);
    at = word.end;
  }
}

interface Word {
  readonly text: Bytes;
  readonly end: number;
}

function readWord(line: Bytes, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length && !isBlank(line.charCodeAt(at))) {
    const char = line[at] as string;
    if (char !== '"' && char !== "'") {
      text += char;
      at += 1;
      continue;
    }
    const quoted = char === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
    if (quoted === undefined) return undefined;
    if (quoted.end < line.length && !isBlank(line.charCodeAt(quoted.end))) return undefined;
    return { text: text + quoted.text, end: quoted.end };
  }
  return { text, end: at };
}

function readDouble(line: Bytes, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length) {
    const char = line[at] as string;
    if (char === '"') return { text, end: at + 1 };
    if (char !== "\\" || at + 1 >= line.length) {
      text += char;
      at += 1;
      continue;
    }
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 4));
    if (hex?.[1] !== undefined) {
      text += String.fromCharCode(Number.parseInt(hex[1], 16));
      at += 4;
      continue;
    }
    const escaped = line[at + 1] as string;
    text += ESCAPES[escaped] ?? escaped;
    at += 2;
  }
  return undefined;
}

function readSingle(line: Bytes, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length) {
    if (line.startsWith("\\'", at)) {
      text += "'";
      at += 2;
      continue;
    }
    if (line[at] === "'") return { text, end: at + 1 };
    text += line[at];
    at += 1;
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0;
}
