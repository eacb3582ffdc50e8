import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { AgentError, errorCode } from "../../src/base/errors.ts";

const PASSWORD_BYTES = 24;

/**
 * The development password of this checkout: made once, kept between runs, readable by its owner only.
 *
 * @throws AgentError `E_PASSWORD_FILE` for a file without a usable password.
 */
export function ensurePassword(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  try {
    const password = randomBytes(PASSWORD_BYTES).toString("base64url");
    writeFileSync(path, `${password}\n`, { mode: 0o600, flag: "wx" });
    return password;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const password = readFileSync(path, "utf8").trim();
  if (/^[\x21-\x7e]+$/.test(password)) return password;
  throw new AgentError(
    "E_PASSWORD_FILE",
    `Cannot use ${path}: expected one line of printable characters; remove it to get a new one`,
  );
}
