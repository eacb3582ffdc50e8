import { constants } from "node:fs";
import { AgentError, errorCode } from "../base/errors.ts";
import { slowFiles } from "../sys/slow-files.ts";

/** A machine without hardware acceleration decrypts this in a fraction of a second. */
const PIECE_BYTES = 1024 * 1024;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Only names the directory: the process that serves it is not asked to open it. Source: open(2). */
const O_PATH = 0o10000000;
const FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/**
 * Reads one file below a directory. No part of the path may be a link: whatever made the tree, nothing
 * outside of it is read.
 *
 * @param path Relative, for example `tls/client.crt`.
 * @param limitBytes Of the content.
 * @returns Memory of its own, for the caller to wipe; undefined when there is no such file.
 * @throws AgentError `E_VAULT_FILE` for a link, something that is no file, a larger file, one that cannot
 *   be read, and one that does not come.
 */
export function readPrivate(
  directory: string,
  path: string,
  limitBytes: number,
): Promise<Buffer | undefined> {
  return slowFiles.read({
    path,
    code: "E_VAULT_FILE",
    work: (progress) => readBelow(directory, path, { limitBytes, progress }),
    onLate: (content) => content?.fill(0),
  });
}

export interface Reading {
  readonly limitBytes: number;
  /** Called for each piece that came. */
  readonly progress: () => void;
}

/**
 * {@link readPrivate} for a path that was just found by listing directories of a mount nobody can write to:
 * none of them can be a link, so they are not looked at again, which makes this twice as fast. For use
 * within a read of {@link slowFiles}.
 */
export async function readListed(
  directory: string,
  path: string,
  reading: Reading,
): Promise<Buffer | undefined> {
  const { open } = await import("node:fs/promises");
  const file = await openPart(open, `${directory}/${path}`, FILE_FLAGS, path);
  return file && (await readAndClose(file, path, reading));
}

async function readBelow(
  directory: string,
  path: string,
  reading: Reading,
): Promise<Buffer | undefined> {
  const { open } = await import("node:fs/promises");
  const parts = path.split("/");
  let here = await openPart(open, directory, O_PATH | O_DIRECTORY, path);
  for (const [index, part] of parts.entries()) {
    if (here === undefined) return undefined;
    const isLast = index === parts.length - 1;
    const flags = isLast ? FILE_FLAGS : O_PATH | O_DIRECTORY | O_NOFOLLOW;
    // Through the descriptor: the directory that was opened is the one that is looked into.
    const at = `/proc/self/fd/${here.fd}/${part}`;
    const parent = here;
    try {
      here = await openPart(open, at, flags, path);
    } finally {
      await parent.close();
    }
  }
  return here && (await readAndClose(here, path, reading));
}

async function readAndClose(handle: Handle, path: string, reading: Reading): Promise<Buffer> {
  try {
    return await readAll(handle, path, reading);
  } finally {
    await handle.close();
  }
}

type Open = typeof import("node:fs/promises").open;
type Handle = Awaited<ReturnType<Open>>;

async function openPart(
  open: Open,
  at: string,
  flags: number,
  path: string,
): Promise<Handle | undefined> {
  try {
    return await open(at, flags);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw unusable(path, "a link", "no link");
    throw unreadable(path, code);
  }
}

async function readAll(
  handle: Handle,
  path: string,
  { limitBytes, progress }: Reading,
): Promise<Buffer> {
  const status = await handle.stat();
  if (!status.isFile()) throw unusable(path, "something else", "a file");
  if (status.size > limitBytes) {
    throw unusable(path, `${status.size} bytes`, `at most ${limitBytes}`);
  }
  const content = Buffer.alloc(status.size);
  let at = 0;
  try {
    while (at < content.length) {
      const length = Math.min(PIECE_BYTES, content.length - at);
      const { bytesRead } = await handle.read(content, at, length, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      progress();
    }
  } catch (error) {
    content.fill(0);
    throw unreadable(path, errorCode(error));
  }
  if (at === content.length) return content;
  content.fill(0);
  throw unusable(path, "fewer bytes than its size", "the whole file");
}

/** EIO is what gocryptfs answers for a block whose check fails. */
function unreadable(path: string, code: string | undefined): AgentError {
  const why =
    code === "EIO" || code === "EBADMSG" ? "its ciphertext is damaged (EIO)" : (code ?? "error");
  return new AgentError("E_VAULT_FILE", `Cannot read ${path}: ${why}`);
}

const unusable = (path: string, seen: string, expected: string): AgentError =>
  new AgentError("E_VAULT_FILE", `Cannot read ${path}: ${seen} seen, expected ${expected}`);
