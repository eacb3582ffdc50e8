/**
 * Splits one inline request into words. Words are separated by white space; `"…"` understands
 * `\n \r \t \b \a \\ \" \xHH`, `'…'` only `\'`; a closing quote must end its word.
 *
 * @returns The words, in memory of their own; undefined when a quote is not closed or is followed by more
 *   of the word.
 */
export function splitInline(line: Uint8Array): Buffer[] | undefined {
  const target: Target = { bytes: Buffer.allocUnsafeSlow(line.length), used: 0 };
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line[at] as number)) at += 1;
    if (at >= line.length) return words;
    const start = target.used;
    at = readWord(line, at, target);
    if (at === UNBALANCED) {
      target.bytes.fill(0);
      return undefined;
    }
    words.push(target.bytes.subarray(start, target.used));
  }
}

/** Words are never longer than what they are read from. */
interface Target {
  readonly bytes: Buffer;
  used: number;
}

/** Those below read from `start` on and return where they ended. */
const UNBALANCED = -1;

function readWord(line: Uint8Array, start: number, target: Target): number {
  let at = start;
  while (at < line.length && !isBlank(line[at] as number)) {
    const byte = line[at] as number;
    at += 1;
    if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
      put(target, byte);
      continue;
    }
    at = byte === DOUBLE_QUOTE ? readDouble(line, at, target) : readSingle(line, at, target);
    if (at === UNBALANCED) return UNBALANCED;
    return at < line.length && !isBlank(line[at] as number) ? UNBALANCED : at;
  }
  return at;
}

function readDouble(line: Uint8Array, start: number, target: Target): number {
  let at = start;
  while (at < line.length) {
    const byte = line[at] as number;
    if (byte === DOUBLE_QUOTE) return at + 1;
    if (byte !== BACKSLASH || at + 1 >= line.length) {
      put(target, byte);
      at += 1;
      continue;
    }
    const escaped = line[at + 1] as number;
    const high = hexDigit(line[at + 2]);
    const low = hexDigit(line[at + 3]);
    if (escaped === LETTER_X && high !== undefined && low !== undefined) {
      put(target, high * 16 + low);
      at += 4;
      continue;
    }
    put(target, ESCAPES.get(escaped) ?? escaped);
    at += 2;
  }
  return UNBALANCED;
}

function readSingle(line: Uint8Array, start: number, target: Target): number {
  let at = start;
  while (at < line.length) {
    const byte = line[at] as number;
    if (byte === SINGLE_QUOTE) return at + 1;
    const isEscaped = byte === BACKSLASH && line[at + 1] === SINGLE_QUOTE;
    put(target, isEscaped ? SINGLE_QUOTE : byte);
    at += isEscaped ? 2 : 1;
  }
  return UNBALANCED;
}

function put(target: Target, byte: number): void {
  target.bytes[target.used] = byte;
  target.used += 1;
}

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

const ESCAPES: ReadonlyMap<number, number> = new Map(
  ["n\n", "r\r", "t\t", "b\b", "a\x07"].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);

function hexDigit(byte = 0): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0;
}
