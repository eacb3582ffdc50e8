import { secretBytes } from "../base/secret-bytes.ts";

export interface HiddenPasswords {
  /** The file with the number of its password in the place of each password. */
  readonly text: string;
  /** For the caller to wipe. */
  readonly passwords: readonly Uint8Array[];
}

/**
 * Takes the passwords out of a TOML file before it becomes text, which nobody could overwrite. A password
 * stands on a line of its own, `password = "…"` or `password = '…'`; in the first form a backslash may stand
 * before a quote and before another backslash. What does not look like that stays where it is.
 */
export function hidePasswords(content: Uint8Array): HiddenPasswords {
  const parts: Uint8Array[] = [];
  const passwords: Uint8Array[] = [];
  let from = 0;
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(NEWLINE, start);
    const end = newline < 0 ? content.length : newline;
    const value = findPassword(content.subarray(start, end));
    if (value !== undefined) {
      parts.push(content.subarray(from, start + value.start), number(passwords.length));
      passwords.push(value.password);
      from = start + value.end;
    }
    start = end + 1;
  }
  parts.push(content.subarray(from));
  const whole = Buffer.concat(parts);
  const text = whole.toString("utf8");
  whole.fill(0);
  return { text, passwords };
}

const number = (index: number): Buffer => Buffer.from(`"${index}"`);

const KEY = Buffer.from("password");
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const BLANK = 0x20;
const HASH = 0x23;
const EQUALS = 0x3d;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;

/** @returns Where the value stands in the line, quotes included. */
function findPassword(
  line: Uint8Array,
): { readonly start: number; readonly end: number; readonly password: Uint8Array } | undefined {
  let at = skipBlank(line, 0);
  if (!KEY.equals(line.subarray(at, at + KEY.length))) return undefined;
  at = skipBlank(line, at + KEY.length);
  if (line[at] !== EQUALS) return undefined;
  const start = skipBlank(line, at + 1);
  const quote = line[start];
  if (quote !== DOUBLE && quote !== SINGLE) return undefined;
  const password = secretBytes(line.length);
  let length = 0;
  for (at = start + 1; at < line.length && line[at] !== quote; at += 1) {
    let byte = line[at] as number;
    if (quote === DOUBLE && byte === BACKSLASH) {
      at += 1;
      byte = line[at] as number;
      if (byte !== DOUBLE && byte !== BACKSLASH) break;
    }
    password[length] = byte;
    length += 1;
  }
  const end = at + 1;
  if (line[at] === quote && isRest(line, skipBlank(line, end))) {
    const kept = secretBytes(length);
    kept.set(password.subarray(0, length));
    password.fill(0);
    return { start, end, password: kept };
  }
  password.fill(0);
  return undefined;
}

function skipBlank(line: Uint8Array, from: number): number {
  let at = from;
  while (line[at] === BLANK || line[at] === TAB) at += 1;
  return at;
}

/** Nothing more but a comment. */
const isRest = (line: Uint8Array, at: number): boolean =>
  at >= line.length || line[at] === HASH || line[at] === CARRIAGE_RETURN;
