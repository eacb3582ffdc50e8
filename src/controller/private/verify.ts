import { errorText } from "../../base/errors.ts";
import { parseUstar, type UstarEntry } from "../../vault/ustar.ts";
import { checkContents } from "./check-contents.ts";
import type { PrivateContext } from "./context.ts";
import type { FetchedPrivate } from "./fetch-private.ts";
import { decryptCopy } from "./open-store.ts";
import { changedCiphertext, packCiphertext, readStore, type Stored } from "./store.ts";
import { openWorkDirectory, type WorkDirectory } from "./work-directory.ts";

export interface VerifyOptions {
  readonly directory: string;
  /** Gets what the controller has for a MAC; undefined: the controller is not asked. */
  readonly fetch?: (mac: string) => Promise<FetchedPrivate | undefined>;
}

/**
 * Checks that the ciphertext of a machine is as it was made, opens with its key, holds all a machine
 * needs and is what the controller would give the machine.
 *
 * @returns What is wrong, one text each; empty: nothing.
 */
export async function verifyPrivate(
  { directory, fetch }: VerifyOptions,
  context: PrivateContext,
): Promise<string[]> {
  const stored = readStore(directory);
  const problems = changedCiphertext(directory, stored.ciphertext);
  await using work = await openWorkDirectory();
  const check = { stored, work, context };
  problems.push(...(await checkCiphertext(stored.ciphertext, "opened", check)));
  if (fetch !== undefined) problems.push(...(await checkController(fetch, check)));
  return problems;
}

interface Check {
  readonly stored: Stored;
  readonly work: WorkDirectory;
  readonly context: PrivateContext;
}

async function checkCiphertext(
  ciphertext: readonly UstarEntry[],
  name: string,
  { stored, work, context }: Check,
): Promise<string[]> {
  const { key, record } = stored;
  try {
    const entries = await decryptCopy(ciphertext, { key, work, name, signal: context.signal });
    const nowMs = context.nowMs ?? Date.now();
    return await checkContents(entries, { node: record.node, work, nowMs });
  } catch (error) {
    context.signal?.throwIfAborted();
    // The copy in the work directory means nothing to the operator.
    return [errorText(error).replaceAll(work.path, "")];
  }
}

async function checkController(
  fetch: NonNullable<VerifyOptions["fetch"]>,
  check: Check,
): Promise<string[]> {
  const { record } = check.stored;
  const [mac = ""] = record.macs;
  const fetched = await fetch(mac);
  if (fetched === undefined) return [`the controller has no ciphertext for ${mac}`];
  const problems: string[] = [];
  if (fetched.revision !== record.revision) {
    problems.push(
      `the controller has revision ${fetched.revision}, the directory ${record.revision}`,
    );
  }
  let entries: UstarEntry[];
  try {
    entries = parseUstar(fetched.archive);
  } catch (error) {
    return [...problems, `the controller: ${errorText(error)}`];
  }
  if (packCiphertext(entries).sha256 === record.sha256) return problems;
  problems.push("the ciphertext at the controller is not the one of the directory");
  const found = await checkCiphertext(entries, "fetched", check);
  return [...problems, ...found.map((problem) => `the controller: ${problem}`)];
}
