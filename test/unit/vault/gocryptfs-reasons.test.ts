import { expect, test } from "vitest";
import { gocryptfsReason } from "../../../src/vault/gocryptfs-reasons.ts";

test.each([
  [12, "E_VAULT_KEY", "key does not open"],
  [23, "E_VAULT_CIPHERTEXT", "cannot be read"],
  [8, "E_VAULT_CIPHERTEXT", "cannot be understood"],
  [10, "E_VAULT_MOUNT", "mount point"],
  [19, "E_VAULT_MOUNT", "refused the mount"],
  [99, "E_VAULT_MOUNT", "code 99"],
  [null, "E_VAULT_MOUNT", "killed"],
])("exit code %s is told as %s", (code, kind, words) => {
  const error = gocryptfsReason(code, "last line");
  expect(error.code).toBe(kind);
  expect(error.message).toContain(words);
});

test("what it printed last is shown in one short line, but not beside a wrong key", () => {
  const line = `a\u001b[31m${"x".repeat(500)}`;
  expect(gocryptfsReason(19, line).message).toMatch(/\(a \[31mx{150,155}\)$/);
  expect(gocryptfsReason(12, "Password incorrect.").message).not.toContain("Password");
});
