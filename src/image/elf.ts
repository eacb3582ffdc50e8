import { AgentError } from "../base/errors.ts";

/** What a program needs to be started. */
export interface ElfNeeds {
  /** Path of the dynamic loader; null for a static program and for a library. */
  readonly interpreter: string | null;
  /** Names of libraries, for example `libc.so.6`. */
  readonly libraries: readonly string[];
}

const X86_64 = 62;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

export const isElf = (bytes: Buffer): boolean => bytes.subarray(0, 4).equals(MAGIC);

const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/**
 * Reads what an x86-64 program or library asks the dynamic loader for, without running anything.
 *
 * @throws AgentError `E_IMAGE_ELF` for another machine's program and for a file that is cut off.
 * Source: elf(5).
 */
export function readElfNeeds(bytes: Buffer, path: string): ElfNeeds {
  try {
    const isOurs = isElf(bytes) && bytes[4] === 2 && bytes[5] === 1;
    if (!isOurs || bytes.readUInt16LE(18) !== X86_64) {
      throw broken(path, "a program of another machine");
    }
    const segments = readSegments(bytes);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    return {
      interpreter: interpreter === undefined ? null : readText(bytes, interpreter.offset),
      libraries: readNeeded(bytes, segments),
    };
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw broken(path, "a file that is cut off", error);
  }
}

function readSegments(bytes: Buffer): Segment[] {
  const start = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  return Array.from({ length: count }, (_none, index) => {
    const at = start + index * size;
    return {
      type: bytes.readUInt32LE(at),
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
    };
  });
}

/** The dynamic section is a list of pairs: a tag, and a number or an address in memory. */
function readNeeded(bytes: Buffer, segments: readonly Segment[]): string[] {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const entries = Array.from({ length: Math.floor(dynamic.size / 16) }, (_none, index) => {
    const at = dynamic.offset + index * 16;
    return { tag: Number(bytes.readBigInt64LE(at)), value: Number(bytes.readBigUInt64LE(at + 8)) };
  });
  const end = entries.findIndex(({ tag }) => tag === 0);
  const used = end < 0 ? entries : entries.slice(0, end);
  const names = used.filter(({ tag }) => tag === DT_NEEDED);
  const table = used.find(({ tag }) => tag === DT_STRTAB);
  if (names.length === 0 || table === undefined) return [];
  const start = fileOffset(table.value, segments);
  return names.map(({ value }) => readText(bytes, start + value));
}

function fileOffset(address: number, segments: readonly Segment[]): number {
  const segment = segments.find(
    (entry) =>
      entry.type === PT_LOAD && address >= entry.address && address < entry.address + entry.size,
  );
  if (segment === undefined) throw new RangeError("address outside the file");
  return segment.offset + address - segment.address;
}

function readText(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  if (start > bytes.length || end < 0) throw new RangeError("text outside the file");
  return bytes.toString("latin1", start, end);
}

function broken(path: string, seen: string, cause?: unknown): AgentError {
  return new AgentError(
    "E_IMAGE_ELF",
    `Cannot take ${path} into the image: ${seen} seen, expected a program for x86-64`,
    { cause },
  );
}
