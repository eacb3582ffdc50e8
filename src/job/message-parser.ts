import { StringDecoder } from "node:string_decoder";
import { MESSAGE_UNITS } from "./limits.ts";

/** Receives one message: its level, 0 to 65535, and its text. */
export type MessageListener = (level: number, text: string) => void;

type State = "text" | "single" | "block";

/**
 * Splits the output of a program into messages (wire protocol 7.2 and 7.3).
 *
 * Messages do not depend on how the output is cut into chunks, except that consecutive plain text of
 * several chunks is several messages, and that a chunk which did not fill the read buffer ends a
 * plain line: what the program writes next may carry a header.
 */
export class MessageParser {
  readonly #plainLevel: 1 | 2;
  readonly #emit: MessageListener;
  readonly #limitUnits: number;
  readonly #decoder = new StringDecoder("utf8");
  #state: State = "text";
  #level = 0;
  /** In state "text": the beginning of a line that may become a header. */
  #prefix = "";
  #isLineStart = true;
  /** In the other states: the message so far. */
  #parts: string[] = [];
  #units = 0;
  /** The last characters of a block, where a closing mark may begin. */
  #tail = "";

  /** @param plainLevel Level of text without a header: 1 standard output, 2 standard error. */
  constructor(plainLevel: 1 | 2, emit: MessageListener, limitUnits = MESSAGE_UNITS) {
    this.#plainLevel = plainLevel;
    this.#emit = emit;
    this.#limitUnits = limitUnits;
  }

  /** @param isFull The chunk ends because the read buffer did, not because the program paused. */
  push(chunk: Uint8Array, isFull: boolean): void {
    this.#parse(this.#decoder.write(chunk));
    if (!isFull && this.#prefix === "") this.#isLineStart = true;
  }

  /** End of file: a message without newline is delivered, an open block is discarded. */
  end(): void {
    this.#parse(this.#decoder.end());
    const prefix = this.#prefix;
    this.#prefix = "";
    if (this.#state === "single") this.#finish("");
    else if (prefix.endsWith("::")) this.#emit(parseLevel(prefix.slice(0, -2)), "");
    else if (prefix !== "") this.#emit(this.#plainLevel, prefix);
    this.#reset();
  }

  #parse(text: string): void {
    let rest = text;
    while (rest !== "") {
      if (this.#state === "text") rest = this.#readText(rest);
      else if (this.#state === "single") rest = this.#readSingle(rest);
      else rest = this.#readBlock(rest);
    }
  }

  /** Delivers plain text up to the next header; returns what follows the header. */
  #readText(chunk: string): string {
    const text = this.#prefix + chunk;
    this.#prefix = "";
    const header = findHeader(text, this.#isLineStart);
    const plain = header === undefined ? text : text.slice(0, header.start);
    if (plain !== "") this.#emit(this.#plainLevel, plain);
    if (header === undefined) {
      this.#isLineStart = text.endsWith("\n");
      return "";
    }
    this.#isLineStart = true;
    if (header.kind === "partial") {
      this.#prefix = text.slice(header.start);
      return "";
    }
    this.#state = header.kind;
    this.#level = parseLevel(header.digits);
    return text.slice(header.end);
  }

  #readSingle(text: string): string {
    const newline = text.indexOf("\n");
    if (newline >= 0) {
      this.#finish(text.slice(0, newline + 1));
      return text.slice(newline + 1);
    }
    this.#keep(text);
    if (this.#units > this.#limitUnits) {
      // Too long to hold: it is delivered as it is, and the rest of the line is plain text.
      this.#finish("");
      this.#isLineStart = false;
    }
    return "";
  }

  #readBlock(text: string): string {
    const window = this.#tail + text;
    const close = window.indexOf(CLOSING);
    if (close < 0) {
      this.#keep(text);
      this.#tail = window.slice(-(CLOSING.length - 1));
      return "";
    }
    const before = close - this.#tail.length;
    if (before >= 0) this.#finish(text.slice(0, before));
    else this.#finishShorter(-before);
    return window.slice(close + CLOSING.length);
  }

  /** A block longer than the limit keeps its beginning. */
  #keep(text: string): void {
    if (this.#state === "block" && this.#units >= this.#limitUnits) return;
    this.#parts.push(text);
    this.#units += text.length;
  }

  #finish(last: string): void {
    this.#keep(last);
    this.#emit(this.#level, this.#parts.join(""));
    this.#reset();
  }

  /** The closing mark began in an earlier chunk, so its first characters are in the message. */
  #finishShorter(units: number): void {
    const message = this.#parts.join("");
    this.#emit(this.#level, this.#units >= this.#limitUnits ? message : message.slice(0, -units));
    this.#reset();
  }

  #reset(): void {
    this.#state = "text";
    this.#parts = [];
    this.#units = 0;
    this.#tail = "";
    this.#isLineStart = true;
  }
}

const CLOSING = "\n:::\n";
const LARGEST_LEVEL = 65_535;
/** Longer runs of digits are text; this bounds how much of a line is held back. */
const MAX_DIGITS = 20;

type Header =
  | { readonly kind: "single" | "block"; start: number; end: number; digits: string }
  /** The text ends inside what may become a header. */
  | { readonly kind: "partial"; start: number };

function findHeader(text: string, isLineStart: boolean): Header | undefined {
  for (let colon = text.indexOf("::"); colon >= 0; colon = text.indexOf("::", colon + 1)) {
    const start = digitsBefore(text, colon);
    if (start === colon || colon - start > MAX_DIGITS) continue;
    if (start === 0 ? !isLineStart : text[start - 1] !== "\n") continue;
    const end = colon + 2;
    if (end === text.length) return { kind: "partial", start };
    const digits = text.slice(start, colon);
    return text[end] === ":"
      ? { kind: "block", start, end: end + 1, digits }
      : { kind: "single", start, end, digits };
  }
  const start = text.lastIndexOf("\n") + 1;
  if (start === 0 && !isLineStart) return undefined;
  return PARTIAL_HEADER.test(text.slice(start)) ? { kind: "partial", start } : undefined;
}

const PARTIAL_HEADER = /^[0-9]{1,20}:?$/;

function digitsBefore(text: string, end: number): number {
  let start = end;
  while (start > 0 && isDigit(text.charCodeAt(start - 1)) && end - start <= MAX_DIGITS) start -= 1;
  return start;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function parseLevel(digits: string): number {
  return Math.min(Number(digits), LARGEST_LEVEL);
}
