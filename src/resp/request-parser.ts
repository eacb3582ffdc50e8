import { AgentError } from "../base/errors.ts";
import { wipe } from "../base/secret-bytes.ts";
import { type Bytes, sliceBytes } from "./bytes.ts";
import { splitInline } from "./inline.ts";
import { InputBuffer } from "./input-buffer.ts";
import type { RequestLimits } from "./request-limits.ts";

/**
 * Incremental reader of Redis requests: arrays of bulk strings, and inline lines as typed by hand.
 *
 * Feed it chunks as they come, then take requests with {@link next} until it has none. Nothing is
 * scanned twice and nothing is allocated because of a number the peer merely announced, so the cost
 * of a request does not depend on how it was cut into chunks.
 *
 * The words behind a name that hides them are never strings, which could not be overwritten: they are
 * bytes for whoever takes the request to wipe, and the parser has no copy left of them.
 *
 * `feed` and `next` throw AgentError `E_RESP_PROTOCOL`, its message being the text for the client;
 * the connection is of no use afterwards.
 * Source: Redis serialization protocol specification, "Sending commands to a Redis server".
 */
export class RequestParser {
  limits: RequestLimits;
  /** Words behind the name of the request handed out last, when that hides them; they stand empty in it. */
  hidden: readonly Buffer[] = NONE;
  readonly #hides: (name: Bytes) => boolean;
  readonly #input = new InputBuffer();
  /** Words of the request being read, or null between requests. */
  #words: Bytes[] | null = null;
  /** Hidden words of the request being read; null when it hides none. */
  #hiding: Buffer[] | null = null;
  #wordsMissing = 0;
  #wordsBytes = 0;
  /** Announced length of the word being read, -1 while its header is missing. */
  #bulkBytes = -1;
  /** Bytes of an unfinished inline line known to hold no line feed. */
  #scannedBytes = 0;

  /** @param hides Whether the words behind a name, in any case, are secret. */
  constructor(limits: RequestLimits, hides: (name: Bytes) => boolean = () => false) {
    this.limits = limits;
    this.#hides = hides;
  }

  /** Bytes received and not yet handed out. */
  get pendingBytes(): number {
    return this.#input.size + this.#wordsBytes;
  }

  /** Adds received bytes. From now on `chunk` is the parser's, which may overwrite it. */
  feed(chunk: Buffer): void {
    this.#input.append(chunk);
    // One chunk that is about to be parsed does not count: only what is left waiting does.
    if (this.pendingBytes > this.limits.maxPendingBytes + chunk.length) {
      throw protocolError("too big request");
    }
  }

  /** Overwrites what has not been handed out, and forgets it. */
  discard(): void {
    wipe(this.#hiding ?? NONE);
    this.#hiding = null;
    this.#input.discard();
  }

  /** The next complete request, at least one word; undefined when more bytes are needed. */
  next(): Bytes[] | undefined {
    this.hidden = NONE;
    while (this.#words === null) {
      const input = this.#input;
      if (input.size === 0) return undefined;
      if (input.bytes[input.start] !== ASTERISK) {
        const words = this.#readInline();
        if (words === undefined) return undefined;
        if (words.length > 0) return words;
        continue;
      }
      const count = this.#readHeader("multibulk");
      if (count === INCOMPLETE) return undefined;
      if (count > this.limits.maxArguments) throw protocolError("invalid multibulk length");
      // An empty or nil array asks for nothing and gets no answer.
      if (count <= 0) continue;
      this.#words = [];
      this.#wordsMissing = count;
      this.#wordsBytes = 0;
    }
    return this.#readWords(this.#words);
  }

  #readWords(words: Bytes[]): Bytes[] | undefined {
    const input = this.#input;
    while (this.#wordsMissing > 0) {
      if (this.#bulkBytes < 0 && !this.#readBulkHeader()) return undefined;
      const end = input.start + this.#bulkBytes;
      if (end + 2 > input.end) return undefined;
      if (input.bytes[end] !== CARRIAGE_RETURN || input.bytes[end + 1] !== LINE_FEED) {
        throw protocolError("expected CRLF after a bulk");
      }
      this.#addWord(words, input.start, end);
      this.#wordsBytes += this.#bulkBytes + WORD_OVERHEAD_BYTES;
      input.start = end + 2;
      this.#bulkBytes = -1;
      this.#wordsMissing -= 1;
    }
    this.hidden = this.#hiding ?? NONE;
    this.#hiding = null;
    this.#words = null;
    this.#wordsBytes = 0;
    return words;
  }

  #addWord(words: Bytes[], start: number, end: number): void {
    const { bytes } = this.#input;
    if (this.#hiding !== null) {
      const word = Buffer.allocUnsafeSlow(end - start);
      bytes.copy(word, 0, start, end);
      bytes.fill(0, start, end);
      this.#hiding.push(word);
      words.push("");
      return;
    }
    const word = sliceBytes(bytes, start, end);
    words.push(word);
    if (words.length === 1 && this.#hides(word)) this.#hiding = [];
  }

  #readBulkHeader(): boolean {
    const input = this.#input;
    if (input.size === 0) return false;
    const type = input.bytes[input.start] as number;
    if (type !== DOLLAR) {
      throw protocolError(`expected '$', got '${printable(type)}'`);
    }
    const length = this.#readHeader("bulk");
    if (length === INCOMPLETE) return false;
    const limits = this.limits;
    if (length < 0 || length > limits.maxBulkBytes) throw protocolError("invalid bulk length");
    if (this.#wordsBytes + length > limits.maxPendingBytes) throw protocolError("too big request");
    this.#bulkBytes = length;
    return true;
  }

  /** Reads a type byte, a decimal number and CRLF. Consumes nothing when it is incomplete. */
  #readHeader(what: "bulk" | "multibulk"): number {
    const { bytes, start, end } = this.#input;
    let at = start + 1;
    const isNegative = at < end && bytes[at] === MINUS;
    if (isNegative) at += 1;
    const digits = at;
    let value = 0;
    while (at < end) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at += 1;
      if (at - digits > MAX_DIGITS) throw protocolError(`invalid ${what} length`);
    }
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== CARRIAGE_RETURN || at === digits) {
      throw protocolError(`invalid ${what} length`);
    }
    if (at + 1 === end) return INCOMPLETE;
    if (bytes[at + 1] !== LINE_FEED) throw protocolError(`invalid ${what} length`);
    this.#input.start = at + 2;
    // No announced length is ever below -1, so the sign alone decides what the caller does with it.
    return isNegative ? -1 : value;
  }

  #readInline(): Bytes[] | undefined {
    const input = this.#input;
    const lineFeed = input.bytes
      .subarray(0, input.end)
      .indexOf(LINE_FEED, input.start + this.#scannedBytes);
    const size = (lineFeed < 0 ? input.end : lineFeed) - input.start;
    if (size > this.limits.maxInlineBytes) throw protocolError("too big inline request");
    if (lineFeed < 0) {
      this.#scannedBytes = size;
      return undefined;
    }
    this.#scannedBytes = 0;
    const hasReturn = size > 0 && input.bytes[lineFeed - 1] === CARRIAGE_RETURN;
    const line = input.bytes.subarray(input.start, lineFeed - (hasReturn ? 1 : 0));
    input.start = lineFeed + 1;
    const split = splitInline(line);
    const isHiding = split?.[0] !== undefined && this.#hides(split[0].toString("latin1"));
    // Where the first word could not even be found, nobody knows what the line was.
    if (isHiding || split === undefined) line.fill(0);
    if (split === undefined) throw protocolError("unbalanced quotes in request");
    if (split.length > this.limits.maxArguments) throw protocolError("too many inline words");
    if (!isHiding) return split.map((word) => sliceBytes(word, 0, word.length));
    const [name, ...hidden] = split;
    this.hidden = hidden;
    return [name?.toString("latin1") ?? "", ...hidden.map(() => "")];
  }
}

const NONE: readonly Buffer[] = [];
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const MINUS = 0x2d;
const ZERO = 0x30;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const INCOMPLETE = Number.NEGATIVE_INFINITY;
const MAX_DIGITS = 10;
/** Rough cost of keeping one word beside its bytes: many empty words must not come free. */
const WORD_OVERHEAD_BYTES = 24;

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`;
}

function protocolError(what: string): AgentError {
  return new AgentError("E_RESP_PROTOCOL", `Protocol error: ${what}`);
}
