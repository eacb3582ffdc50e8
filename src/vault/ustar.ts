import { AgentError } from "../base/errors.ts";
import { checkUstarPath } from "./ustar-path.ts";

/** One entry of an archive. Paths are relative, without a slash at the end: `ssh/authorized_keys`. */
export type UstarEntry =
  | { readonly kind: "directory"; readonly path: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly isExecutable: boolean;
      readonly content: Uint8Array;
    };

export const USTAR_LIMITS = {
  /** Of the whole archive. */
  sizeBytes: 64 * 1024 * 1024,
  entries: 10_000,
} as const;

/**
 * Packs entries as a plain ustar archive. Same entries, same bytes: sorted by path, owner 0:0, time
 * 0, modes 0600 and 0700 whatever they were, two empty blocks at the end and nothing behind them.
 *
 * @throws AgentError `E_ARCHIVE` for what {@link parseUstar} would refuse.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
export function formatUstar(entries: Iterable<UstarEntry>): Buffer {
  const sorted = [...entries].sort((a, b) => Buffer.compare(bytesOf(a.path), bytesOf(b.path)));
  const layout = new Layout("write");
  const parts: Uint8Array[] = [];
  for (const entry of sorted) {
    layout.add(entry);
    const content = entry.kind === "file" ? entry.content : EMPTY;
    parts.push(formatHeader(entry, content.length), content, padding(content.length));
  }
  parts.push(Buffer.alloc(2 * BLOCK_BYTES));
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (sizeBytes > USTAR_LIMITS.sizeBytes) throw tooLarge("write", sizeBytes);
  return Buffer.concat(parts, sizeBytes);
}

/**
 * Reads an archive nobody vouches for. Nothing is skipped or guessed: links, devices, extended
 * headers, unsafe or repeated names, a child before its directory, wrong checksums, bytes in the
 * padding and anything cut off or behind the end are errors. Owner, time and mode (but for the
 * executable bit of its owner) are not kept.
 *
 * @returns Entries in the order of the archive; contents share its memory.
 * @throws AgentError `E_ARCHIVE`
 */
export function parseUstar(archive: Uint8Array): UstarEntry[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  if (bytes.length > USTAR_LIMITS.sizeBytes) throw tooLarge("read", bytes.length);
  if (bytes.length % BLOCK_BYTES !== 0) {
    throw unreadable(bytes.length, "a length that is no multiple of 512", "whole blocks");
  }
  const layout = new Layout("read");
  const entries: UstarEntry[] = [];
  let at = 0;
  while (!isZero(bytes, at, at + BLOCK_BYTES)) {
    const { entry, endsAt } = readEntry(bytes, at);
    layout.add(entry);
    entries.push(entry);
    at = endsAt;
  }
  if (bytes.length - at < 2 * BLOCK_BYTES || !isZero(bytes, at, bytes.length)) {
    throw unreadable(at, "no proper end", "two empty blocks and nothing behind them");
  }
  return entries;
}

const BLOCK_BYTES = 512;
const EMPTY = new Uint8Array();
const MAGIC = "ustar\x0000";
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** Where fields are in a header: first byte and length. */
const FIELDS = {
  name: [0, NAME_BYTES],
  mode: [100, 8],
  owner: [108, 8],
  group: [116, 8],
  size: [124, 12],
  time: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  prefix: [345, PREFIX_BYTES],
} as const;

type Field = keyof typeof FIELDS;

/** What holds between entries, for both directions. */
class Layout {
  readonly #verb: string;
  readonly #kinds = new Map<string, UstarEntry["kind"]>();

  constructor(verb: string) {
    this.#verb = verb;
  }

  add({ path, kind }: UstarEntry): void {
    const fail = (seen: string, expected: string): AgentError =>
      failure(this.#verb, `${JSON.stringify(path)} ${seen} seen, expected ${expected}`);
    const wrong = checkUstarPath(path);
    if (wrong !== undefined) throw fail(`(${wrong})`, "a relative, safe name");
    if (this.#kinds.has(path)) throw fail("a second time", "each name once");
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (parent !== "" && this.#kinds.get(parent) !== "directory") {
      throw fail("without its directory", "a directory before what is in it");
    }
    this.#kinds.set(path, kind);
    if (this.#kinds.size > USTAR_LIMITS.entries) {
      throw failure(this.#verb, `more entries seen, expected at most ${USTAR_LIMITS.entries}`);
    }
  }
}

function formatHeader(entry: UstarEntry, sizeBytes: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const set = (field: Field, text: string): void => void header.write(text, FIELDS[field][0]);
  const isPlain = entry.kind === "file" && !entry.isExecutable;
  const { name, prefix } = splitPath(entry.kind === "file" ? entry.path : `${entry.path}/`);
  set("name", name);
  set("prefix", prefix);
  set("mode", isPlain ? "0000600" : "0000700");
  set("owner", "0000000");
  set("group", "0000000");
  set("size", sizeBytes.toString(8).padStart(11, "0"));
  set("time", "00000000000");
  set("type", entry.kind === "file" ? "0" : "5");
  set("magic", MAGIC);
  set("checksum", `${checksumOf(header).toString(8).padStart(6, "0")}\0 `);
  return header;
}

/** The prefix gets as little as possible: what fits into the name alone is read by any program. */
function splitPath(path: string): { name: string; prefix: string } {
  const bytes = bytesOf(path);
  if (bytes.length <= NAME_BYTES) return { name: path, prefix: "" };
  const slash = bytes.indexOf("/", bytes.length - NAME_BYTES - 1);
  // A slash at the very end belongs to a directory: nothing would be left for the name.
  if (slash < 1 || slash === bytes.length - 1 || slash > PREFIX_BYTES) {
    throw failure(
      "write",
      `${JSON.stringify(path)} (${bytes.length} bytes) seen, expected ` +
        `a last part of at most ${NAME_BYTES} bytes and at most ${PREFIX_BYTES} before it`,
    );
  }
  return { prefix: bytes.toString("utf8", 0, slash), name: bytes.toString("utf8", slash + 1) };
}

function readEntry(bytes: Buffer, at: number): { entry: UstarEntry; endsAt: number } {
  if (at + BLOCK_BYTES > bytes.length) throw unreadable(at, "the end", "a header");
  const header = bytes.subarray(at, at + BLOCK_BYTES);
  if (readOctal(header, "checksum", at) !== checksumOf(header)) {
    throw unreadable(at, "a wrong checksum", "an undamaged header");
  }
  if (raw(header, "magic").toString("latin1") !== MAGIC) {
    throw unreadable(at, "another format", "ustar");
  }
  const type = String.fromCharCode(header[FIELDS.type[0]] ?? 0);
  if (type !== "0" && type !== "\0" && type !== "5") {
    throw unreadable(at, `an entry of type ${JSON.stringify(type)}`, "a file or a directory");
  }
  if (readText(header, "link", at) !== "") throw unreadable(at, "a link", "no link");
  const prefix = readText(header, "prefix", at);
  const name = readText(header, "name", at);
  const full = prefix === "" ? name : `${prefix}/${name}`;
  const sizeBytes = readOctal(header, "size", at);
  const isExecutable = (readOctal(header, "mode", at) & 0o100) !== 0;
  if (type === "5") {
    if (sizeBytes !== 0) throw unreadable(at, `a directory of ${sizeBytes} bytes`, "no content");
    return {
      entry: { kind: "directory", path: full.replace(/\/$/, "") },
      endsAt: at + BLOCK_BYTES,
    };
  }
  const start = at + BLOCK_BYTES;
  const end = start + sizeBytes;
  const endsAt = end + padding(sizeBytes).length;
  if (endsAt > bytes.length) throw unreadable(at, "the end", `${sizeBytes} bytes of content`);
  if (!isZero(bytes, end, endsAt)) throw unreadable(end, "bytes in the padding", "zeros");
  const content = bytes.subarray(start, end);
  return { entry: { kind: "file", path: full, isExecutable, content }, endsAt };
}

function raw(header: Buffer, field: Field): Buffer {
  const [start, length] = FIELDS[field];
  return header.subarray(start, start + length);
}

/** Digits to the end of the field or to its first zero byte or space; no sign, no base-256 numbers. */
function readOctal(header: Buffer, field: Field, at: number): number {
  const digits = /^([0-7]+)[\0 ]*$/.exec(raw(header, field).toString("latin1"))?.[1];
  if (digits === undefined) throw unreadable(at, `no number as ${field}`, "octal digits");
  return Number.parseInt(digits, 8);
}

/** Text up to the first zero byte, behind which there are only more of them. */
function readText(header: Buffer, field: Field, at: number): string {
  const bytes = raw(header, field);
  const zero = bytes.indexOf(0);
  const length = zero < 0 ? bytes.length : zero;
  if (!isZero(bytes, length, bytes.length)) {
    throw unreadable(at, `bytes behind the text of ${field}`, "zeros");
  }
  try {
    return UTF8.decode(bytes.subarray(0, length));
  } catch (cause) {
    throw unreadable(at, `bytes that are not UTF-8 as ${field}`, "UTF-8", cause);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Sum of the bytes, those of the checksum itself counted as spaces. */
function checksumOf(header: Buffer): number {
  const [start, length] = FIELDS.checksum;
  let sum = 0x20 * length;
  for (let index = 0; index < BLOCK_BYTES; index++) {
    if (index < start || index >= start + length) sum += header[index] ?? 0;
  }
  return sum;
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  return bytes.subarray(from, to).every((byte) => byte === 0);
}

function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

const bytesOf = (text: string): Buffer => Buffer.from(text, "utf8");

function failure(verb: string, what: string, cause?: unknown): AgentError {
  return new AgentError("E_ARCHIVE", `Cannot ${verb} archive: ${what}`, { cause });
}

const unreadable = (at: number, seen: string, expected: string, cause?: unknown): AgentError =>
  failure("read", `${seen} seen at byte ${at}, expected ${expected}`, cause);

const tooLarge = (verb: string, sizeBytes: number): AgentError =>
  failure(verb, `${sizeBytes} bytes seen, expected at most ${USTAR_LIMITS.sizeBytes}`);
