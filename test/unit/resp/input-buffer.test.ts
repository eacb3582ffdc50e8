import { expect, test } from "vitest";
import { InputBuffer } from "../../../src/resp/input-buffer.ts";

const SIZE = 100_000;

test("moves bytes that come one by one only a few times", () => {
  const input = new InputBuffer();
  const buffers = new Set<Buffer>();
  for (let byte = 0; byte < SIZE; byte += 1) {
    input.append(Buffer.from([byte % 251]));
    buffers.add(input.bytes);
  }
  expect(input.size).toBe(SIZE);
  expect(input.bytes[input.start + 99_999]).toBe(99_999 % 251);
  // Doubling from half a KiB to 100 KB takes eight steps.
  expect(buffers.size).toBeLessThan(12);
});

test("never reserves more than about twice of what has come", () => {
  const input = new InputBuffer();
  for (let byte = 0; byte < SIZE; byte += 1) input.append(Buffer.from([1]));
  expect(input.bytes.length).toBeLessThan(SIZE * 2.1);
});

test("uses a chunk as it is when nothing waits", () => {
  const input = new InputBuffer();
  const chunk = Buffer.from("abc");
  input.append(chunk);
  expect(input.bytes).toBe(chunk);
  input.start += 3;
  const next = Buffer.from("def");
  input.append(next);
  expect(input.bytes).toBe(next);
});

test("gives a large buffer back once little is left in it", () => {
  const input = new InputBuffer();
  input.append(Buffer.alloc(SIZE));
  input.append(Buffer.alloc(SIZE));
  input.start = input.end - 1;
  const large = input.bytes.length;
  // Fills what is left of the large buffer, one byte always unread.
  for (let byte = 0; byte < large; byte += 1) {
    input.append(Buffer.from([1]));
    input.start += 1;
  }
  expect(input.size).toBe(1);
  expect(input.bytes.length).toBeLessThan(large / 16);
});

test("keeps the order of chunks across growth and reading", () => {
  const input = new InputBuffer();
  let read = "";
  for (let index = 0; index < 2000; index += 1) {
    input.append(Buffer.from(`${index},`));
    if (index % 7 === 0) continue;
    const end = input.start + Math.floor(input.size / 2);
    read += input.bytes.toString("latin1", input.start, end);
    input.start = end;
  }
  read += input.bytes.toString("latin1", input.start, input.end);
  expect(read).toBe(Array.from({ length: 2000 }, (_, index) => `${index},`).join(""));
});

test("what was copied is overwritten at its old place", () => {
  const input = new InputBuffer();
  const seen = new Set<Buffer>();
  for (let index = 0; index < 200; index += 1) {
    const chunk = Buffer.from("secret ");
    input.append(chunk);
    for (const bytes of [chunk, input.bytes]) seen.add(bytes);
  }
  expect(seen.size).toBeGreaterThan(202);
  seen.delete(input.bytes);
  expect([...seen].filter((bytes) => bytes.includes("secret"))).toEqual([]);
});

test("so is what was moved to the front of the same buffer", () => {
  const input = new InputBuffer();
  const buffers = new Set<Buffer>();
  for (let index = 0; index < 1000; index += 1) {
    input.append(Buffer.from("secret "));
    buffers.add(input.bytes);
    if (input.size < 100) continue;
    // Who reads overwrites what it read.
    input.bytes.fill(0, input.start, input.end - 14);
    input.start = input.end - 14;
    const found = input.bytes.toString("latin1").match(/s|e|c|r|t/g);
    expect(found?.length).toBe(12);
  }
  expect(buffers.size).toBeLessThan(100);
});

test("what is discarded is overwritten", () => {
  const input = new InputBuffer();
  const chunk = Buffer.from("secret");
  input.append(chunk);
  input.discard();
  expect(chunk).toEqual(Buffer.alloc(6));
  expect(input.size).toBe(0);
});
