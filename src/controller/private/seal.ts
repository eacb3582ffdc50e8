import { join } from "node:path";
import { errorText } from "../../base/errors.ts";
import { PRIVATE_FILES } from "../../vault/controller-api.ts";
import type { UstarEntry } from "../../vault/ustar.ts";
import { readTree } from "../../vault/ustar-tree.ts";
import { checkContents } from "./check-contents.ts";
import type { PrivateContext } from "./context.ts";
import { encryptTree } from "./encrypt.ts";
import { privateError } from "./errors.ts";
import { PlainTree } from "./plain-tree.ts";
import { packCiphertext, type StoredNode, writeStore } from "./store.ts";
import type { WorkDirectory } from "./work-directory.ts";

export interface Sealing {
  readonly directory: string;
  readonly node: string;
  readonly macs: readonly string[];
  readonly retiredSerials: readonly string[];
  readonly key: string;
  readonly entries: readonly UstarEntry[];
  readonly access: readonly UstarEntry[];
}

/**
 * Checks the files of a machine, encrypts them and writes the directory of the machine, which was
 * not uploaded then. Until its last step nothing outside the work directory is touched.
 */
export async function seal(
  sealing: Sealing,
  { work, context }: { readonly work: WorkDirectory; readonly context: PrivateContext },
): Promise<StoredNode> {
  const { directory, node, macs, retiredSerials, key, entries } = sealing;
  const nowMs = context.nowMs ?? Date.now();
  await requireGood(entries, { node, work, nowMs });
  const fresh = join(work.makeDirectory("ciphertext"), "tree");
  const signal = context.signal === undefined ? {} : { signal: context.signal };
  await encryptTree(fresh, { entries, key, work, ...signal });
  const ciphertext = readTree(fresh);
  const sha256 = digestOf(ciphertext);
  context.signal?.throwIfAborted();
  const record: StoredNode = { node, macs, sha256, revision: 0, retiredSerials };
  writeStore(directory, { record, key, ciphertext, access: refreshAccess(sealing) });
  return record;
}

/** Names grow when they are encrypted: what fits into an archive before may not fit afterwards. */
function digestOf(ciphertext: readonly UstarEntry[]): string {
  try {
    return packCiphertext(ciphertext).sha256;
  } catch (error) {
    throw privateError(
      `Cannot pack the encrypted files: ${errorText(error)}; use fewer directories in one another`,
    );
  }
}

/** {@link checkContents} for what must be good. @throws AgentError `E_PRIVATE` */
export async function requireGood(
  entries: readonly UstarEntry[],
  how: Parameters<typeof checkContents>[1],
): Promise<void> {
  const problems = await checkContents(entries, how);
  if (problems.length === 0) return;
  throw privateError(`Cannot use the private configuration: ${problems.join("; ")}`);
}

/** The operator's copies follow what is in the configuration now. */
function refreshAccess({ entries, access, node }: Sealing): UstarEntry[] {
  const plain = new PlainTree(entries);
  const tree = new PlainTree(access);
  const [password = ""] = (plain.text(PRIVATE_FILES.redisPassword) ?? "").split("\n");
  tree.set("redis-password", `${password}\n`);
  tree.set("known_hosts", `${node} ${plain.text(`${PRIVATE_FILES.sshHostKey}.pub`) ?? ""}`);
  tree.set("ca.crt", plain.text(PRIVATE_FILES.ca) ?? "");
  return tree.entries();
}
