import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensurePassword } from "../../../scripts/machine/password.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-password-"));
  path = join(directory, "state/password");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("makes a password once and keeps it", () => {
  const password = ensurePassword(path);
  expect(password).toMatch(/^[\w-]{32}$/);
  expect(ensurePassword(path)).toBe(password);
});

test("only the owner may read the password", () => {
  ensurePassword(path);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
});

test.each(["", "two words", "line\nline"])("refuses the unusable password file %j", (text) => {
  path = join(directory, "password");
  writeFileSync(path, text);
  expect(() => ensurePassword(path)).toThrow("remove it to get a new one");
});
