import { expect, test } from "vitest";
import { takeKey } from "../../../src/vault/key-bytes.ts";

const KEY = `${"aB3+/".repeat(8)}abc=`;

test("the key is taken out as bytes, and the rest still parses", () => {
  const json = Buffer.from(JSON.stringify({ state: "approved", key: KEY, revision: 1 }));
  expect(takeKey(json)?.toString()).toBe(KEY);
  expect(json.includes(KEY)).toBe(false);
  expect(JSON.parse(json.toString())).toMatchObject({ state: "approved", revision: 1 });
});

test("blanks around the colon do not hide the key", () => {
  const json = Buffer.from(`{"key" :\n\t "${KEY}"}`);
  expect(takeKey(json)?.toString()).toBe(KEY);
});

test("a key that is not base64 of 32 bytes is none, and is made unreadable all the same", () => {
  for (const wrong of ["", "short", KEY.replace("=", "A"), KEY.replace("a", "!"), `${KEY}A`]) {
    const json = Buffer.from(JSON.stringify({ key: wrong }));
    expect(takeKey(json)).toBeUndefined();
    expect(JSON.parse(json.toString()).key).toMatch(/^\.*$/);
  }
});

test("what only looks like the member inside a text is left alone", () => {
  const text = JSON.stringify({ reason: `"key":"${KEY}"` });
  const json = Buffer.from(text);
  expect(takeKey(json)).toBeUndefined();
  expect(json.toString()).toBe(text);
});

test("a text that ends in the middle has no key", () => {
  for (const text of ['{"key"', '{"key":', '{"key":"', `{"key":"${KEY}`, '{"key":7}', ""]) {
    expect(takeKey(Buffer.from(text))).toBeUndefined();
  }
});
