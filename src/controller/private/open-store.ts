import { join } from "node:path";
import type { UstarEntry } from "../../vault/ustar.ts";
import { placeTree } from "../../vault/ustar-tree.ts";
import { decryptTree } from "./encrypt.ts";
import { readStore, type Stored } from "./store.ts";
import type { WorkDirectory } from "./work-directory.ts";

/** Reads the directory of a machine and decrypts it, all in memory. */
export async function openStore(
  directory: string,
  { work, signal }: { readonly work: WorkDirectory; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly stored: Stored; readonly entries: UstarEntry[] }> {
  const stored = readStore(directory);
  const { key, ciphertext } = stored;
  const entries = await decryptCopy(ciphertext, { key, work, name: "opened", signal });
  return { stored, entries };
}

/** Decrypts ciphertext files that are in memory, for example fetched ones. */
export async function decryptCopy(
  ciphertext: readonly UstarEntry[],
  {
    key,
    work,
    name,
    signal,
  }: {
    readonly key: string;
    readonly work: WorkDirectory;
    /** Of a directory in the work directory, for messages; used once. */
    readonly name: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<UstarEntry[]> {
  const copy = join(work.makeDirectory(name), "ciphertext");
  placeTree(ciphertext, copy);
  return await decryptTree(copy, { key, work, ...(signal ? { signal } : {}) });
}
