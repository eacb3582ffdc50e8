import { PRIVATE_FILES } from "../../vault/controller-api.ts";
import { requestCertificate, serialOf } from "./client-certificate.ts";
import type { PrivateContext } from "./context.ts";
import { newKey } from "./create.ts";
import { privateError } from "./errors.ts";
import { openStore } from "./open-store.ts";
import { PlainTree } from "./plain-tree.ts";
import { seal } from "./seal.ts";
import { uploadPrivate } from "./upload.ts";
import { openWorkDirectory } from "./work-directory.ts";

/**
 * Gives a machine a new key and a new client certificate; everything else in its private
 * configuration stays. The former certificate is revoked once the new one is at the controller.
 */
export async function rotatePrivate(directory: string, context: PrivateContext): Promise<void> {
  const { controller, say, signal } = context;
  if (controller === undefined) {
    throw privateError("Cannot rotate without a controller, expected --dir or --url");
  }
  {
    await using work = await openWorkDirectory();
    const { stored, entries } = await openStore(directory, { work, signal });
    const { node, macs, retiredSerials } = stored.record;
    const tree = new PlainTree(entries);
    const former = tree.text(PRIVATE_FILES.clientCertificate);
    const { key: clientKey, csr } = await requestCertificate(node);
    const { certificate, ca } = await controller.issueCertificate(node, csr);
    tree.set(PRIVATE_FILES.clientCertificate, certificate);
    tree.set(PRIVATE_FILES.clientKey, clientKey);
    tree.set(PRIVATE_FILES.ca, ca);
    await seal(
      {
        directory,
        node,
        macs,
        retiredSerials: [...retiredSerials, ...(former === undefined ? [] : [serialOf(former)])],
        key: newKey(),
        entries: tree.entries(),
        access: stored.access,
      },
      { work, context },
    );
  }
  say(`${directory} has a new key and a new client certificate`);
  say("an image with the former ciphertext in it has to be built again");
  await uploadPrivate(directory, context);
}
