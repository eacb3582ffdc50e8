/** Base64 of 32 bytes. */
const KEY_CHARACTERS = 44;
const QUOTE = 0x22;
const COLON = 0x3a;
const FILLER = 0x2e;

/**
 * Takes the member `key` out of a JSON text without making a string of it: strings cannot be wiped and
 * live on in the heap. Its characters in `json` become dots, so that the rest can be parsed as ever.
 *
 * @returns The 44 characters as bytes, for the caller to wipe; undefined when there is no such member or it
 *   is not base64 of 32 bytes.
 */
export function takeKey(json: Buffer): Buffer | undefined {
  // Inside a text of JSON a quote has a backslash before it, so this is found at members only.
  const name = json.indexOf('"key"');
  if (name < 0) return undefined;
  const colon = skipBlanks(json, name + 5);
  const quote = skipBlanks(json, colon + 1);
  if (json[colon] !== COLON || json[quote] !== QUOTE) return undefined;
  const start = quote + 1;
  const end = json.indexOf(QUOTE, start);
  if (end < 0) return undefined;
  const seen = json.subarray(start, end);
  const key = isKey(seen) ? Buffer.alloc(KEY_CHARACTERS) : undefined;
  if (key !== undefined) seen.copy(key);
  seen.fill(FILLER);
  return key;
}

function isKey(bytes: Buffer): boolean {
  if (bytes.length !== KEY_CHARACTERS || bytes[KEY_CHARACTERS - 1] !== 0x3d) return false;
  return bytes.subarray(0, KEY_CHARACTERS - 1).every(isBase64);
}

function isBase64(byte: number): boolean {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  return isDigit || isLetter || byte === 0x2b || byte === 0x2f;
}

function skipBlanks(json: Buffer, from: number): number {
  let at = from;
  while (json[at] === 0x20 || json[at] === 0x09 || json[at] === 0x0a || json[at] === 0x0d) at += 1;
  return at;
}
