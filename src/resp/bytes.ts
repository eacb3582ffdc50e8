/**
 * A byte string: one character per byte, codes 0 to 255. V8 keeps such a string in one byte per
 * character, hashes it once as a map key and writes it to a socket without a copy, which made it
 * faster than a Buffer per argument on every path measured.
 */
export type Bytes = string;

const BEYOND_ASCII = /[\u0080-\uffff]/;

/** UTF-8 bytes of a text. */
export function bytesOfText(text: string): Bytes {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

/** The text whose UTF-8 form these bytes are; what is not UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: Bytes): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** Below this a loop beats the call into native code. */
const SHORT_BYTES = 12;

/** Copies bytes out of a buffer, so that what is kept never pins the buffer. */
export function sliceBytes(buffer: Buffer, start: number, end: number): Bytes {
  if (end - start > SHORT_BYTES) return buffer.toString("latin1", start, end);
  let bytes = "";
  for (let at = start; at < end; at += 1) bytes += String.fromCharCode(buffer[at] as number);
  return bytes;
}
