import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../base/errors.ts";
import { checkManifest, formatManifest, MANIFEST_PATH } from "../../vault/private-manifest.ts";
import type { UstarEntry } from "../../vault/ustar.ts";
import { readTree } from "../../vault/ustar-tree.ts";
import { privateError } from "./errors.ts";
import { initCiphertext, mountPlain } from "./gocryptfs.ts";
import type { WorkDirectory } from "./work-directory.ts";

export interface EncryptOptions {
  /** Files in plain, parents before children; a manifest among them is made anew. */
  readonly entries: readonly UstarEntry[];
  /** 32 bytes in base64. */
  readonly key: string;
  readonly work: WorkDirectory;
  readonly signal?: AbortSignal;
}

/**
 * Encrypts files and reads them back through a second mount before anybody relies on them.
 *
 * @param ciphertext Made; must not be there yet.
 * @throws AgentError `E_PRIVATE`
 */
export async function encryptTree(ciphertext: string, options: EncryptOptions): Promise<void> {
  const { key, work, signal } = options;
  const plain = options.entries.filter(({ path }) => path !== MANIFEST_PATH);
  const content = Buffer.from(formatManifest(plain));
  const entries: UstarEntry[] = [
    ...plain,
    { kind: "file", path: MANIFEST_PATH, isExecutable: false, content },
  ];
  mkdirSync(ciphertext, { mode: 0o700 });
  await initCiphertext(ciphertext, key);
  {
    await using mount = await mountPlain({
      ciphertext,
      mountpoint: nextDirectory(work),
      key,
      isReadOnly: false,
      ...(signal ? { signal } : {}),
    });
    for (const entry of entries) {
      const to = join(mount.path, entry.path);
      if (entry.kind === "directory") mkdirSync(to, { mode: 0o700 });
      else {
        const mode = entry.isExecutable ? 0o700 : 0o600;
        writeFileSync(to, entry.content, { mode, flag: "wx", flush: true });
      }
    }
  }
  const seen = await decryptTree(ciphertext, { key, work, ...(signal ? { signal } : {}) });
  const before = entries.map(({ path }) => path).sort();
  if (
    before.join("\n") !==
    seen
      .map(({ path }) => path)
      .sort()
      .join("\n")
  ) {
    throw privateError(`Cannot encrypt ${ciphertext}: other files came back, expected the same`);
  }
}

/**
 * Decrypts all files of a ciphertext and compares them with their manifest.
 *
 * @throws AgentError `E_PRIVATE`; field `reason`: `key`, `ciphertext` or `mount`.
 */
export async function decryptTree(
  ciphertext: string,
  { key, work, signal }: Omit<EncryptOptions, "entries">,
): Promise<UstarEntry[]> {
  await using mount = await mountPlain({
    ciphertext,
    mountpoint: nextDirectory(work),
    key,
    isReadOnly: true,
    ...(signal ? { signal } : {}),
  });
  let entries: UstarEntry[];
  try {
    entries = readTree(mount.path);
  } catch (error) {
    throw damaged(ciphertext, `unreadable files (${errorText(error)})`);
  }
  const problems = checkManifest(entries);
  if (problems.length > 0) throw damaged(ciphertext, problems.join(", "));
  return entries;
}

const damaged = (ciphertext: string, seen: string): Error =>
  privateError(`Cannot decrypt ${ciphertext}: ${seen}, expected an undamaged ciphertext`, {
    reason: "ciphertext",
  });

let mounts = 0;

/** A mount point is used once: a mount that is still busy must not be covered by another. */
function nextDirectory(work: WorkDirectory): string {
  return work.makeDirectory(`plain-${++mounts}`);
}
