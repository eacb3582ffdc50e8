import type { Client } from "./client.ts";
import type { Limits } from "./limits.ts";

/** What the node takes and gives in one block (`filesystem.read`). */
const BLOCK_BYTES = 512 * 1024;

export interface WriteFileOptions extends Limits {
  /** Permission bits of the new file; default 0644. */
  readonly mode?: number | undefined;
}

/** The bytes of a file of the node, block by block. @throws JobError for a file that cannot be read */
export async function* readRemoteFile(
  client: Client,
  path: string,
  limits: Limits = {},
): AsyncGenerator<Uint8Array, void> {
  const fd = await client.value("filesystem.open", { file: path, mode: "r" }, limits);
  try {
    for (;;) {
      const block = await client.value("filesystem.read", { fd }, limits);
      if (block === "") return;
      yield Buffer.from(block, "base64");
    }
  } finally {
    await closeQuietly(client, fd);
  }
}

/**
 * Writes a file of the node. It has its name when it is complete: before that it is a file beside it, which
 * goes away when writing fails.
 *
 * @throws JobError when the node cannot write it; whatever `content` throws.
 */
export async function writeRemoteFile(
  client: Client,
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: WriteFileOptions = {},
): Promise<void> {
  const { mode = 0o644, ...limits } = options;
  const part = `${path}.${crypto.randomUUID()}.part`;
  const fd = await client.value(
    "filesystem.open",
    { file: part, mode: "x", perm: mode & 0o777 },
    limits,
  );
  let isOpen = true;
  try {
    for await (const bytes of content) {
      for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
        const block = Buffer.from(bytes.subarray(start, start + BLOCK_BYTES)).toString("base64");
        await client.value("filesystem.write", { fd, block }, limits);
      }
    }
    await client.value("filesystem.close", { fd }, limits);
    isOpen = false;
    await client.value("filesystem.move", { path: part, destination: path }, limits);
  } catch (error) {
    if (isOpen) await closeQuietly(client, fd);
    // What went wrong before is what the caller has to know.
    await client.value("filesystem.remove", { path: part }, CLEANUP).catch(() => undefined);
    throw error;
  }
}

/** The caller's limits may be why writing ended. */
const CLEANUP: Limits = { timeoutMs: 5000 };

/** The node closes what is not used after five minutes, so a failure leaves nothing behind. */
async function closeQuietly(client: Client, fd: string): Promise<void> {
  await client.value("filesystem.close", { fd }, CLEANUP).catch(() => undefined);
}
