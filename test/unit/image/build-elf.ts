import type { ElfNeeds } from "../../../src/image/elf.ts";

const HEADER = 64;
const SEGMENT = 56;
const BASE = 0x400000;

/** The smallest x86-64 file that needs these. */
export function buildElf({ interpreter, libraries }: ElfNeeds): Buffer {
  const count = 1 + (interpreter === null ? 0 : 1) + (libraries.length === 0 ? 0 : 1);
  const start = HEADER + count * SEGMENT;
  const loader = Buffer.from(interpreter === null ? "" : `${interpreter}\0`);
  const dynamicAt = start + loader.length;
  const dynamicSize = libraries.length === 0 ? 0 : (libraries.length + 2) * 16;
  const names = Buffer.from(["", ...libraries, ""].join("\0"));
  const namesAt = dynamicAt + dynamicSize;
  const bytes = Buffer.alloc(namesAt + (libraries.length === 0 ? 0 : names.length));
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(BigInt(HEADER), 32);
  bytes.writeUInt16LE(SEGMENT, 54);
  bytes.writeUInt16LE(count, 56);
  let at = HEADER;
  const segment = (type: number, offset: number, size: number): void => {
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 8);
    bytes.writeBigUInt64LE(BigInt(BASE + offset), at + 16);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
    at += SEGMENT;
  };
  segment(1, 0, bytes.length);
  if (interpreter !== null) segment(3, start, loader.length);
  bytes.set(loader, start);
  if (libraries.length === 0) return bytes;
  segment(2, dynamicAt, dynamicSize);
  let entry = dynamicAt;
  const pair = (tag: number, value: number): void => {
    bytes.writeBigInt64LE(BigInt(tag), entry);
    bytes.writeBigUInt64LE(BigInt(value), entry + 8);
    entry += 16;
  };
  for (const name of libraries) pair(1, names.indexOf(`\0${name}\0`) + 1);
  pair(5, BASE + namesAt);
  pair(0, 0);
  bytes.set(names, namesAt);
  return bytes;
}
