import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../base/errors.ts";
import { privateError } from "./errors.ts";
import { runTool } from "./tool.ts";
import type { WorkDirectory } from "./work-directory.ts";

export interface SshKey {
  /** In the format of OpenSSH, without a passphrase. */
  readonly privateKey: string;
  /** One line with a line break: type, key, comment. */
  readonly publicKey: string;
}

/** Makes an ed25519 key pair. */
export async function makeSshKey(work: WorkDirectory, comment: string): Promise<SshKey> {
  const path = join(work.makeDirectory(nextName()), "key");
  await runTool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path]);
  return { privateKey: readFileSync(path, "utf8"), publicKey: readFileSync(`${path}.pub`, "utf8") };
}

/**
 * Finds the public half of a host key.
 *
 * @param source Name of the private key, for messages.
 * @throws AgentError `E_PRIVATE` where it is not an ed25519 key without a passphrase.
 */
export async function completeSshKey(
  work: WorkDirectory,
  privateKey: string,
  source: string,
): Promise<SshKey> {
  const path = join(work.makeDirectory(nextName()), "key");
  writeFileSync(path, privateKey, { mode: 0o600 });
  let publicKey: string;
  try {
    publicKey = await runTool("ssh-keygen", ["-y", "-P", "", "-f", path]);
  } catch (error) {
    const seen = errorText(error).replaceAll(path, source);
    throw privateError(`Cannot use ${source}: ${seen}, expected an ed25519 key without passphrase`);
  } finally {
    rmSync(path, { force: true });
  }
  if (publicKey.startsWith("ssh-ed25519 ")) return { privateKey, publicKey };
  const [type] = publicKey.split(" ");
  throw privateError(`Cannot use ${source}: a key of type ${type} seen, expected ssh-ed25519`);
}

/** The type and the key of a public key; the comment behind them says nothing. */
export function samePublicKey(one: string, other: string): boolean {
  const key = (line: string): string => line.trim().split(/\s+/).slice(0, 2).join(" ");
  return key(one) === key(other);
}

/**
 * Checks a text as `authorized_keys`: at least one key, and each line is one.
 *
 * @throws AgentError `E_PRIVATE` with the number of the line.
 */
export async function checkAuthorizedKeys(
  work: WorkDirectory,
  text: string,
  source: string,
): Promise<void> {
  const path = join(work.makeDirectory(nextName()), "keys");
  let count = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    writeFileSync(path, `${line}\n`, { mode: 0o600 });
    try {
      await runTool("ssh-keygen", ["-l", "-f", path]);
    } catch {
      throw privateError(`Cannot use ${source}:${index + 1}: no public key seen, expected one`);
    }
    if (++count > LIMIT) {
      throw privateError(`Cannot use ${source}: more keys seen, expected at most ${LIMIT}`);
    }
  }
  if (count === 0) throw privateError(`Cannot use ${source}: no key seen, expected at least one`);
}

/** A program is started for each. */
const LIMIT = 1000;

let names = 0;
const nextName = (): string => `ssh-${++names}`;
