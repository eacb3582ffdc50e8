import { crc32 } from "node:zlib";
import { AgentError } from "../base/errors.ts";

/*
 * One file of Node.js's compile cache, all numbers 32 bits, little endian:
 * 0 magic of Node.js, 4 size of the source, 8 size of the code, 12 hash of the source,
 * 16 CRC-32 of the code, 20 code as V8 wrote it: 20 magic, 24 version, 28 source, 32 flags, …
 *
 * Source: Node.js src/compile_cache.cc; V8 src/snapshot/code-serializer.h (SerializedCodeData).
 */
const CODE_SIZE_AT = 8;
const CRC_AT = 16;
const CODE_AT = 20;
const FLAGS_AT = CODE_AT + 12;
const V8_MAGIC_AT = CODE_AT;

/** V8 marks its data with 0xC0DE0000 combined with a number of its build; the upper half is checked. */
const V8_MAGIC_UPPER = 0xc0de;

/**
 * Hash of the V8 flags the code was compiled with.
 *
 * @throws AgentError `E_IMAGE_CACHE` for a file that is laid out differently.
 */
export function readFlagHash(file: Buffer): number {
  requireLayout(file);
  return file.readUInt32LE(FLAGS_AT);
}

/** The same file as if compiled with other flags. */
export function withFlagHash(file: Buffer, flagHash: number): Buffer {
  requireLayout(file);
  const changed = Buffer.from(file);
  changed.writeUInt32LE(flagHash, FLAGS_AT);
  changed.writeUInt32LE(crc32(changed.subarray(CODE_AT)), CRC_AT);
  return changed;
}

function requireLayout(file: Buffer): void {
  const isLongEnough = file.length > FLAGS_AT + 4;
  const isKnown =
    isLongEnough &&
    file.readUInt32LE(V8_MAGIC_AT) >>> 16 === V8_MAGIC_UPPER &&
    file.readUInt32LE(CODE_SIZE_AT) === file.length - CODE_AT &&
    file.readUInt32LE(CRC_AT) === crc32(file.subarray(CODE_AT));
  if (isKnown) return;
  throw new AgentError(
    "E_IMAGE_CACHE",
    "Cannot read a file of the compile cache: another layout seen, expected the one of Node.js 26",
  );
}
