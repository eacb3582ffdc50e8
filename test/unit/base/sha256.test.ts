import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../../../src/base/sha256.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (length: number, step: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => (index * step + length) & 0xff));

// Lengths around the end of a block, where the length of the message needs one more.
const LENGTHS = [0, 1, 3, 31, 32, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 1024];

test("a message has the digest of node:crypto", () => {
  for (const length of LENGTHS) {
    const message = bytesOf(length, 7);
    expect(hex(sha256(message))).toBe(createHash("sha256").update(message).digest("hex"));
  }
});

test("the message stays as it is", () => {
  const message = bytesOf(70, 7);
  sha256(message);
  expect(hex(message)).toBe(hex(bytesOf(70, 7)));
});
