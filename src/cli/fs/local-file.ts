import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { AgentError, errorText } from "../../base/errors.ts";

/**
 * Writes a file of this computer, which has its name when it is complete.
 *
 * @param mode Permission bits, of which the umask takes its part.
 * @throws AgentError `E_OUTPUT` when it cannot be written; whatever `content` throws.
 */
export async function writeLocalFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
  mode = 0o666,
): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  let file: FileHandle | undefined;
  try {
    // Opened with the first bytes, so that a file nobody can read leaves nothing behind.
    for await (const bytes of content) {
      file ??= await local(path, () => open(part, "wx", mode));
      const handle = file;
      await local(path, () => handle.writeFile(bytes));
    }
    file ??= await local(path, () => open(part, "wx", mode));
    await file.close();
    await local(path, () => rename(part, path));
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (file !== undefined) await rm(part, { force: true });
    throw error;
  }
}

/** The bytes of a file of this computer. @throws AgentError `E_INPUT` when it cannot be read */
export async function* readLocalFile(path: string): AsyncGenerator<Uint8Array, void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const buffer = Buffer.alloc(BLOCK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, BLOCK_BYTES);
      if (bytesRead === 0) return;
      // A copy: the buffer is used again while whoever reads still holds the bytes.
      yield Buffer.from(buffer.subarray(0, bytesRead));
    }
  } catch (cause) {
    throw new AgentError("E_INPUT", `Cannot read ${path}: ${errorText(cause)}`, { cause });
  } finally {
    await file?.close();
  }
}

const BLOCK_BYTES = 512 * 1024;

async function local<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AgentError("E_OUTPUT", `Cannot write ${path}: ${errorText(cause)}`, { cause });
  }
}
