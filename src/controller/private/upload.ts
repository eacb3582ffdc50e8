import type { PrivateContext } from "./context.ts";
import { privateError } from "./errors.ts";
import { changedCiphertext, packCiphertext, readStore, writeStore } from "./store.ts";

/**
 * Gives key and ciphertext of a machine to the controller, then revokes the certificates the
 * ciphertext before it held: in this order the machine never has only a certificate that is refused.
 */
export async function uploadPrivate(directory: string, context: PrivateContext): Promise<void> {
  const { controller, say } = context;
  if (controller === undefined) {
    throw privateError("Cannot upload without a controller, expected --dir or --url");
  }
  const stored = readStore(directory);
  const { record, key, ciphertext } = stored;
  const changed = changedCiphertext(directory, ciphertext);
  if (changed.length > 0) {
    throw privateError(
      `Cannot upload ${directory}: ${changed.join(", ")}, expected it as it was made`,
    );
  }
  const { archive, sha256 } = packCiphertext(ciphertext);
  const answer = await controller.uploadPrivate(record.node, key, archive);
  if (answer.sha256 !== sha256) {
    throw privateError(
      `Cannot upload ${directory}: the controller stored ${answer.sha256}, expected ${sha256}`,
    );
  }
  const { revision } = answer;
  writeStore(directory, { ...stored, record: { ...record, revision } });
  say(`${record.node} has revision ${revision} at the controller (${archive.length} bytes)`);
  for (const serial of record.retiredSerials) {
    await controller.revokeCertificate(record.node, serial);
    say(`client certificate ${serial} is revoked`);
  }
  if (record.retiredSerials.length > 0) {
    writeStore(directory, { ...stored, record: { ...record, revision, retiredSerials: [] } });
  }
}
