import { randomBytes } from "node:crypto";
import { PRIVATE_FILES } from "../../vault/controller-api.ts";
import { requestCertificate } from "./client-certificate.ts";
import { type GivenFiles, gatherContents } from "./contents.ts";
import type { PrivateContext } from "./context.ts";
import { privateError } from "./errors.ts";
import { findMachine } from "./machine.ts";
import { requireGood, seal } from "./seal.ts";
import { checkFree } from "./store.ts";
import { uploadPrivate } from "./upload.ts";
import { openWorkDirectory } from "./work-directory.ts";

export interface CreateOptions {
  /** Lower case with colons; at least one. */
  readonly macs: readonly string[];
  /** Absolute path of the directory of the machine; empty or not there. */
  readonly directory: string;
  readonly given: GivenFiles;
  readonly mustUpload: boolean;
  readonly mustApprove: boolean;
}

/**
 * Makes the private configuration of a machine.
 *
 * @throws AgentError `E_PRIVATE`, or an error of the controller; the directory is then not made,
 * unless all but the upload is done.
 */
export async function createPrivate(
  options: CreateOptions,
  context: PrivateContext,
): Promise<void> {
  const { macs, directory, given } = options;
  const { controller, say } = context;
  if (controller === undefined) {
    throw privateError("Cannot create without a controller, expected --dir or --url");
  }
  checkFree(directory);
  await using work = await openWorkDirectory();
  const { tree, access } = await gatherContents(given, { work, name: macs[0] ?? "" });
  const nowMs = context.nowMs ?? Date.now();
  // Before the controller is asked for anything: what is given may be wrong.
  await requireGood(tree.entries(), { node: undefined, work, nowMs });
  context.signal?.throwIfAborted();
  const { id: node, state } = await findMachine(controller, macs);
  say(`machine ${node} (${macs.join(", ")})`);
  const { key: clientKey, csr } = await requestCertificate(node);
  const { certificate, ca } = await controller.issueCertificate(node, csr);
  tree.set(PRIVATE_FILES.clientCertificate, certificate);
  tree.set(PRIVATE_FILES.clientKey, clientKey);
  tree.set(PRIVATE_FILES.ca, ca);
  const key = newKey();
  const entries = tree.entries();
  const sealing = { directory, node, macs, retiredSerials: [], key, entries, access };
  await seal(sealing, { work, context });
  say(`${directory}: ${tree.files().join(", ")}`);
  say(`${directory}/key opens it: keep it as safe as what is inside`);
  if (options.mustUpload) await uploadPrivate(directory, context);
  if (options.mustApprove && state !== "approved") {
    await controller.approve(node, "private configuration made");
    say(`${node} is approved`);
  }
}

/** The passphrase of gocryptfs: as random as the key of the cipher itself. */
export function newKey(): string {
  return randomBytes(32).toString("base64");
}
