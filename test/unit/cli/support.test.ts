import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { LEFT_OUT, redact, redactText } from "../../../src/cli/support/redact.ts";
import { formatTar } from "../../../src/cli/support/tar.ts";

test.each([
  [{ password: "x" }, { password: LEFT_OUT }],
  [
    { apiToken: "x", TOKEN: "x" },
    { apiToken: LEFT_OUT, TOKEN: LEFT_OUT },
  ],
  [{ private_key: ["x", "y"] }, { private_key: [LEFT_OUT, LEFT_OUT] }],
  [
    { key: "x", keys: { a: "x" } },
    { key: LEFT_OUT, keys: { a: LEFT_OUT } },
  ],
  [
    { env: { HOME: "/root" }, args: ["-x", 5] },
    { env: { HOME: LEFT_OUT }, args: [LEFT_OUT, 5] },
  ],
  [
    { password: "", auth: null, secret: true },
    { password: "", auth: null, secret: true },
  ],
  [
    { pagetables: "a", monkey: "b", hwaddr: "c" },
    { pagetables: "a", monkey: "b", hwaddr: "c" },
  ],
  [{ url: "http://me:pw@host/x" }, { url: `http://${LEFT_OUT}@host/x` }],
  [
    [1, "a", null, { b: "c" }],
    [1, "a", null, { b: "c" }],
  ],
])("leaves out of %j what may be secret", (value, redacted) => {
  expect(redact(value)).toEqual(redacted);
});

test.each([
  ["password=abc rest", `password=${LEFT_OUT} rest`],
  ['{"token":"a b","x":1}', `{"token":${LEFT_OUT},"x":1}`],
  ["Authorization: Bearer", `Authorization: ${LEFT_OUT}`],
  ["get https://u:p@h/ and ssh://k@h", `get https://${LEFT_OUT}@h/ and ssh://${LEFT_OUT}@h`],
  ["a passing remark on secrets", "a passing remark on secrets"],
])("leaves out of the line %j what may be secret", (text, redacted) => {
  expect(redactText(text)).toBe(redacted);
});

test("tar reads the archive: names, sizes, modes and contents", () => {
  const files = [
    { name: "a/empty", content: new Uint8Array() },
    { name: "a/block", content: Buffer.alloc(512, "x") },
    { name: "a/more", content: Buffer.alloc(1300, "y") },
  ];
  const archive = formatTar(files, 1_700_000_000);
  expect(archive.length % 512).toBe(0);
  const list = execFileSync("tar", ["tvf", "-", "--utc"], { input: archive, encoding: "utf8" });
  expect(
    list
      .trimEnd()
      .split("\n")
      .map((line) => line.replaceAll(/ +/g, " ")),
  ).toEqual([
    "-rw------- 0/0 0 2023-11-14 22:13 a/empty",
    "-rw------- 0/0 512 2023-11-14 22:13 a/block",
    "-rw------- 0/0 1300 2023-11-14 22:13 a/more",
  ]);
  const more = execFileSync("tar", ["xOf", "-", "a/more"], { input: archive, encoding: "utf8" });
  expect(more).toBe("y".repeat(1300));
});
