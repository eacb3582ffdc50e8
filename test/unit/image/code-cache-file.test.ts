import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { readFlagHash, withFlagHash } from "../../../src/image/code-cache-file.ts";

function sample(): Buffer {
  const code = Buffer.alloc(40, 7);
  code.writeUInt32LE(0xc0de06a9, 0);
  code.writeUInt32LE(0x11223344, 12);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(code.length, 8);
  head.writeUInt32LE(crc32(code), 16);
  return Buffer.concat([head, code]);
}

test("a changed flag hash comes with a check sum that fits", () => {
  const changed = withFlagHash(sample(), 0xcafe0001);

  expect(readFlagHash(sample())).toBe(0x11223344);
  expect(readFlagHash(changed)).toBe(0xcafe0001);
  expect(changed.readUInt32LE(16)).toBe(crc32(changed.subarray(20)));
});

test("setting the hash that is there already changes nothing", () => {
  expect(withFlagHash(sample(), 0x11223344).equals(sample())).toBe(true);
});

test.each([
  ["is cut off", (file: Buffer) => file.subarray(0, 30)],
  ["has another check sum", (file: Buffer) => Buffer.concat([file.subarray(0, 59), Buffer.of(9)])],
  ["was not written by V8", (file: Buffer) => Buffer.from(file).fill(0, 20, 24)],
])("refuses a file that %s", (_, damage) => {
  expect(() => readFlagHash(damage(sample()))).toThrow(
    expect.objectContaining({ code: "E_IMAGE_CACHE" }),
  );
});
