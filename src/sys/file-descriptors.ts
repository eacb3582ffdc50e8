import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { AgentError, errorCode } from "../base/errors.ts";
import { fileError } from "./file-errors.ts";
import { resolvePath } from "./file-paths.ts";
import { BLOCK_BYTES, IDLE_DESCRIPTOR_MS, MAX_DESCRIPTORS } from "./file-requests.ts";

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;

interface Descriptor {
  readonly handle: FileHandle;
  readonly path: string;
  /** End of what was asked last: blocks keep their order. */
  last: Promise<unknown>;
  timer: NodeJS.Timeout | undefined;
  /** Requests that have not ended. */
  busy: number;
}

/** The files that clients hold open, by token. */
export class FileDescriptors {
  readonly #open = new Map<string, Descriptor>();
  readonly #onIdle: () => void;
  readonly #idleMs: number;
  /** Opens that have not ended. */
  #opening = 0;

  /** @param onIdle Called after a descriptor was closed because nobody used it. */
  constructor(onIdle: () => void = () => {}, idleMs = IDLE_DESCRIPTOR_MS) {
    this.#onIdle = onIdle;
    this.#idleMs = idleMs;
  }

  get count(): number {
    return this.#open.size + this.#opening;
  }

  /** @returns The token. */
  async open(given: string, mode: string, perm: number): Promise<string> {
    const flags = parseMode(mode);
    const path = resolvePath("open", given);
    if (this.count >= MAX_DESCRIPTORS) {
      const seen = `${MAX_DESCRIPTORS} files are open, expected fewer: close one`;
      throw fileError("open", given, seen);
    }
    this.#opening += 1;
    try {
      const handle = await openChecked({ given, path, flags, perm, isTruncated: /w/.test(mode) });
      const token = crypto.randomUUID();
      const entry: Descriptor = {
        handle,
        path,
        last: Promise.resolve(),
        timer: undefined,
        busy: 0,
      };
      this.#open.set(token, entry);
      this.#rest(token, entry);
      return token;
    } finally {
      this.#opening -= 1;
    }
  }

  /** The next block in base64; empty at the end of the file. */
  read(token: string): Promise<string> {
    return this.#use(token, "read", async ({ handle }) => {
      const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, BLOCK_BYTES, null);
      return buffer.toString("base64", 0, bytesRead);
    });
  }

  write(token: string, block: string): Promise<void> {
    const bytes = decodeBlock(block);
    return this.#use(token, "write", async ({ handle }) => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, null);
        at += bytesWritten;
      }
    });
  }

  /** An unknown token is fine. */
  async close(token: string): Promise<void> {
    const entry = this.#open.get(token);
    if (entry === undefined) return;
    this.#open.delete(token);
    clearTimeout(entry.timer);
    await entry.last;
    try {
      await entry.handle.close();
    } catch (error) {
      throw fileError("close", entry.path, error);
    }
  }

  async #use<T>(token: string, verb: string, work: (entry: Descriptor) => Promise<T>): Promise<T> {
    const entry = this.#open.get(token);
    if (entry === undefined) {
      const seen = JSON.stringify(token.slice(0, 60));
      const wanted = "one of filesystem.open that was used in the last 5 minutes";
      throw new AgentError("E_FILE", `Cannot ${verb}: descriptor ${seen} seen, expected ${wanted}`);
    }
    clearTimeout(entry.timer);
    entry.busy += 1;
    const done = entry.last.then(() => work(entry));
    entry.last = done.catch(() => undefined);
    try {
      return await done;
    } catch (error) {
      throw fileError(verb, entry.path, explain(error, verb));
    } finally {
      entry.busy -= 1;
      this.#rest(token, entry);
    }
  }

  #rest(token: string, entry: Descriptor): void {
    if (entry.busy > 0 || this.#open.get(token) !== entry) return;
    entry.timer = setTimeout(() => {
      this.close(token).catch(() => undefined); // Nobody is there to be told.
      this.#onIdle();
    }, this.#idleMs);
  }
}

/** Flags of open(2); a file is emptied later, when it is known to be one. */
function parseMode(mode: string): number {
  const match = /^(?:([rwax])(\+?)|(\+)([rwax]))$/.exec(mode);
  if (match === null) {
    const seen = JSON.stringify(mode.slice(0, 20));
    throw new AgentError(
      "E_FILE",
      `Cannot open with mode ${seen}, expected one of r, w, a, x, and optionally +`,
    );
  }
  const kind = match[1] ?? match[4] ?? "r";
  const isBoth = match[2] === "+" || match[3] === "+";
  if (kind === "r") return isBoth ? O_RDWR : O_RDONLY;
  const more = { w: 0, a: O_APPEND, x: O_EXCL }[kind] ?? 0;
  return (isBoth ? O_RDWR : O_WRONLY) | O_CREAT | more;
}

/**
 * Looks before it opens, because opening some devices does something (a watchdog starts, a tape is
 * wound back), and again afterwards, when the name cannot mean another file any more. Neither waits:
 * a FIFO without a writer would for ever.
 */
async function openChecked(options: {
  given: string;
  path: string;
  flags: number;
  perm: number;
  isTruncated: boolean;
}): Promise<FileHandle> {
  const { given, path, flags, perm, isTruncated } = options;
  let handle: FileHandle | undefined;
  try {
    const before = await stat(path).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (before !== undefined) requireFile(given, before);
    handle = await open(path, flags | O_NONBLOCK | O_NOCTTY, perm & 0o777);
    const now = await handle.stat();
    requireFile(given, now);
    if (isTruncated && now.isFile() && now.size > 0) await handle.truncate(0);
    return handle;
  } catch (error) {
    await handle?.close().catch(() => undefined); // The first error is the one that counts.
    throw error instanceof AgentError ? error : fileError("open", given, error);
  }
}

/** Memory devices that answer at once: null, zero, full, random, urandom. Source: devices.txt, major 1. */
const HARMLESS_MINORS = [3, 5, 7, 8, 9];
const MEMORY_MAJOR = 1;

function requireFile(path: string, stats: Stats): void {
  const [major, minor] = [(stats.rdev >> 8) & 0xfff, stats.rdev & 0xff];
  const isHarmless = major === MEMORY_MAJOR && HARMLESS_MINORS.includes(minor);
  if (stats.isFile() || (stats.isCharacterDevice() && isHarmless)) return;
  throw fileError("open", path, `${kindOf(stats)} seen, expected a regular file`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return stats.isBlockDevice() ? "a block device" : "a character device";
}

/** Line breaks are skipped, everything else must be base64. */
function decodeBlock(block: string): Buffer {
  const text = block.replaceAll(/[\r\n]+/g, "");
  const at = text.search(/[^A-Za-z0-9+/]/);
  const padding = at < 0 ? "" : text.slice(at);
  if (text.length % 4 !== 0 || !/^={0,2}$/.test(padding)) {
    const seen =
      text.length % 4 === 0
        ? `${JSON.stringify(padding.slice(0, 4))} at character ${at}`
        : `${text.length} characters`;
    const wanted = "base64 with padding, line breaks allowed";
    throw new AgentError("E_FILE", `Cannot write block: ${seen} seen, expected ${wanted}`);
  }
  return Buffer.from(text, "base64");
}

/** EBADF is what the kernel says about a file that was opened for the other direction. */
function explain(error: unknown, verb: string): unknown {
  if (errorCode(error) !== "EBADF") return error;
  return verb === "read" ? "it is not open for reading" : "it is not open for writing";
}
