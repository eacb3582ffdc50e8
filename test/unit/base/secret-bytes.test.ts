import { expect, test } from "vitest";
import { firstLine, SecretDigest, wipe } from "../../../src/base/secret-bytes.ts";

const SALT = new Uint8Array(16).fill(9);

test.each(["", "s", "secre", "secrey", "secretsecret", "xsecret", "secret\0", "SECRET"])(
  "%j is not the secret it is like",
  (candidate) => {
    const digest = new SecretDigest(Buffer.from("secret"), SALT);
    expect(digest.matches(Buffer.from(candidate))).toBe(false);
    expect(digest.matches(Buffer.from("secret"))).toBe(true);
  },
);

test("a secret that was wiped is still recognised", () => {
  const secret = Buffer.from("secret");
  const digest = new SecretDigest(secret, SALT);
  wipe([secret]);
  expect(secret).toEqual(Buffer.alloc(6));
  expect(digest.matches(Buffer.from("secret"))).toBe(true);
  expect(digest.matches(secret)).toBe(false);
});

test.each([
  ["one\ntwo\n", "one"],
  ["one\r\ntwo", "one"],
  ["one", "one"],
  ["on\re", "on\re"],
  ["\none", ""],
  ["\r\none", ""],
  ["", ""],
])("the first line of %j", (content, line) => {
  const bytes = Buffer.from(content);
  const found = firstLine(bytes);
  expect(Buffer.from(found).toString()).toBe(line);
  wipe([bytes]);
  expect(found.every((byte) => byte === 0)).toBe(true);
});
