import { AgentError } from "../base/errors.ts";
import { PRIVATE_FILES } from "./controller-api.ts";
import { MANIFEST_PATH, parseManifest } from "./private-manifest.ts";
import { damaged, type PrivateLimits, readContent } from "./private-walk.ts";

export const PRIVATE_LIMITS: PrivateLimits = {
  entries: 10_000,
  depth: 16,
  sizeBytes: 64 * 1024 * 1024,
};

/** Without these the mount is of no use. */
const NEEDED = [PRIVATE_FILES.clientCertificate, PRIVATE_FILES.clientKey];
/** So many differences are told one by one. */
const SHOWN = 3;

/**
 * Reads everything in a mounted private configuration once, so that damage is found at the boot and not
 * when a file is needed, and compares it with the manifest in it: gocryptfs notices a damaged block, but
 * leaves out names it cannot decrypt and ends a file early that was cut between two blocks.
 *
 * @returns Number of files.
 * @throws AgentError `E_VAULT_FILE` | `E_VAULT_CIPHERTEXT` naming what is wrong; the signal's reason.
 */
export async function verifyPrivate(
  mountpoint: string,
  signal: AbortSignal,
  limits: PrivateLimits = PRIVATE_LIMITS,
): Promise<number> {
  const { digests, manifest } = await readContent(mountpoint, signal, limits);
  const expected = manifest === undefined ? undefined : parseManifest(manifest.toString("utf8"));
  if (expected === undefined) throw damaged(`${MANIFEST_PATH} is missing or damaged`);
  const names = [...new Set([...expected.keys(), ...digests.keys()])];
  const wrong = names.filter((path) => expected.get(path) !== digests.get(path));
  if (wrong.length > 0) throw damaged(describe(wrong, expected, digests));
  const missing = NEEDED.filter((path) => !expected.has(path));
  if (missing.length > 0) {
    const message = `the private configuration has no ${missing.join(" and no ")}`;
    throw new AgentError("E_VAULT_FILE", message);
  }
  return expected.size;
}

function describe(
  wrong: readonly string[],
  expected: ReadonlyMap<string, string>,
  seen: ReadonlyMap<string, string>,
): string {
  const texts = wrong.slice(0, SHOWN).map((path) => {
    if (!seen.has(path)) return `${path} is missing`;
    return expected.has(path) ? `${path} is damaged` : `${plain(path)} does not belong there`;
  });
  const rest = wrong.length - texts.length;
  return `${texts.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`;
}

/** A name that was decrypted wrongly may be anything. */
const plain = (path: string): string => path.replaceAll(/[^\x20-\x7e]+/g, "?").slice(0, 80);
