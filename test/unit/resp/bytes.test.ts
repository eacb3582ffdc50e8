import { expect, test } from "vitest";
import { bytesOfText, sliceBytes, textOfBytes } from "../../../src/resp/bytes.ts";

test("a text becomes its UTF-8 bytes, one character each", () => {
  expect(bytesOfText("plain")).toBe("plain");
  expect(bytesOfText("é€😀")).toBe("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
});

test("bytes that are not UTF-8 become U+FFFD in a text", () => {
  expect(textOfBytes("a\xffb")).toBe("a\ufffdb");
});

test("a lone surrogate becomes U+FFFD on the way to bytes", () => {
  expect(textOfBytes(bytesOfText("a\ud800b"))).toBe("a\ufffdb");
});

test.each([0, 1, 11, 12, 13, 200])("%i bytes are copied out of a buffer as they are", (size) => {
  const buffer = Buffer.from(Array.from({ length: size + 2 }, (_, at) => (at * 7) % 256));
  expect(sliceBytes(buffer, 1, size + 1)).toBe(buffer.toString("latin1", 1, size + 1));
});
