import { setTimeout as delay } from "node:timers/promises";
import { linuxFiles } from "../../sys/files-linux.ts";
import { readMounts } from "../../sys/mounts.ts";
import { privateError } from "./errors.ts";
import { runTool, startTool } from "./tool.ts";
import { unmount } from "./work-directory.ts";

/**
 * The cost of trying a key is of no use where the key is 256 random bits, and the node pays it with
 * each unlock: 10 is the least gocryptfs takes (1 MiB and some milliseconds; its default of 16 takes
 * 64 MiB and is ten times slower).
 */
const SCRYPT_N = "10";

/** Longer encrypted names become digests of 67 characters: paths then fit into an archive. */
const LONGEST_NAME = "64";

/** Time for an unlock on a slow machine. */
const MOUNT_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 10;

/** Exit code for a wrong passphrase (gocryptfs, "exit codes"). */
const WRONG_KEY = 12;

/** Exit codes for a ciphertext directory or a `gocryptfs.conf` that cannot be used. */
const DAMAGE: readonly number[] = [6, 8, 11, 13, 23, 27];

/** A ciphertext that is mounted in plain, until it is disposed. */
export interface PlainMount {
  readonly path: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes an empty directory a ciphertext directory of that key (base64, the passphrase as text). */
export async function initCiphertext(directory: string, key: string): Promise<void> {
  const words = ["-init", "-q", "-scryptn", SCRYPT_N, "-longnamemax", LONGEST_NAME];
  await runTool("gocryptfs", [...words, "--", directory], { input: `${key}\n` });
}

export interface MountOptions {
  readonly ciphertext: string;
  /** An empty directory. */
  readonly mountpoint: string;
  readonly key: string;
  readonly isReadOnly: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Mounts a ciphertext in plain; gocryptfs stays in the foreground, so that it is gone when the
 * mount is.
 *
 * @throws AgentError `E_PRIVATE`; field `reason`: `key` where it does not fit, `ciphertext`, `mount`.
 */
export async function mountPlain(options: MountOptions): Promise<PlainMount> {
  const { ciphertext, mountpoint, key, isReadOnly, signal } = options;
  const words = ["-fg", "-q", "-nosyslog", ...(isReadOnly ? ["-ro"] : ["-rw"])];
  const tool = await startTool("gocryptfs", [...words, "--", ciphertext, mountpoint], {
    input: `${key}\n`,
  });
  let hasEnded = false;
  const ended = tool.ended.finally(() => {
    hasEnded = true;
  });
  // Its failure is told below or with the disposal, whichever waits for it.
  ended.catch(() => {});
  const endsAt = performance.now() + MOUNT_LIMIT_MS;
  while (!isMounted(mountpoint)) {
    if (hasEnded) throw refusal(ciphertext, await ended, tool.complaint());
    if (signal?.aborted || performance.now() > endsAt) {
      tool.child.kill("SIGTERM");
      await ended;
      signal?.throwIfAborted();
      throw privateError(`Cannot mount ${ciphertext}: nothing happened for 30 s, expected a mount`);
    }
    await delay(LOOK_EVERY_MS);
  }
  return {
    path: mountpoint,
    [Symbol.asyncDispose]: async () => {
      if (!hasEnded) await unmount(mountpoint);
      await ended;
    },
  };
}

function isMounted(mountpoint: string): boolean {
  return readMounts(linuxFiles).some((mount) => mount.mountpoint === mountpoint);
}

function refusal(ciphertext: string, code: number | null, complaint: string): Error {
  if (code !== WRONG_KEY) {
    const isDamage = code !== null && DAMAGE.includes(code);
    return privateError(
      `Cannot mount ${ciphertext}: ${complaint || `exit code ${code}`}, expected a mount`,
      { reason: isDamage ? "ciphertext" : "mount" },
    );
  }
  return privateError(
    `Cannot decrypt ${ciphertext}: the key does not fit, expected the key it was made with` +
      " (or its gocryptfs.conf is damaged)",
    { reason: "key" },
  );
}
