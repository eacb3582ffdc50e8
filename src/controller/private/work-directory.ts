import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../base/errors.ts";
import { linuxFiles } from "../../sys/files-linux.ts";
import { readMounts } from "../../sys/mounts.ts";
import { runTool } from "./tool.ts";

/** A place for plain data, which nobody else can read and which is gone afterwards. */
export interface WorkDirectory {
  readonly path: string;
  /** Makes an empty directory in it, mode 0700. */
  makeDirectory(name: string): string;
  [Symbol.asyncDispose](): Promise<void>;
}

const PREFIX = "node0-private-";

/**
 * Opens a work directory: for root a file system in memory of its own, which is never swapped where
 * the kernel knows `noswap`; for others a directory of mode 0700, whose files are overwritten
 * before they are removed. What a killed predecessor left is removed as well.
 *
 * @param parent Default: where files are in memory already, else the directory for temporary files.
 */
export async function openWorkDirectory(parent = defaultParent()): Promise<WorkDirectory> {
  await removeLeftovers(parent);
  // The mount table knows no links.
  const path = mkdtempSync(join(realpathSync(parent), `${PREFIX}${process.pid}-`));
  if (process.getuid?.() === 0) await mountMemory(path);
  return {
    path,
    makeDirectory: (name) => {
      const made = join(path, name);
      mkdirSync(made, { mode: 0o700 });
      return made;
    },
    [Symbol.asyncDispose]: () => removeWorkDirectory(path),
  };
}

function defaultParent(): string {
  if (process.getuid?.() === 0 && linuxFiles.exists("/run")) return "/run";
  return process.env["XDG_RUNTIME_DIR"] ?? tmpdir();
}

async function mountMemory(path: string): Promise<void> {
  const options = "mode=0700,size=256m,nosuid,nodev";
  // tmpfs(5): noswap is known from Linux 6.4 on.
  for (const words of [`${options},noswap`, options]) {
    try {
      await runTool("mount", ["-t", "tmpfs", "-o", words, "node0-private", path]);
      return;
    } catch {
      // Older kernels, containers: the directory itself is private, and is overwritten at the end.
    }
  }
}

/** The process whose number a directory has is gone: so is whoever could still need it. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of linuxFiles.list(parent)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-\\w{6}$`).exec(name)?.[1];
    const path = join(parent, name);
    if (pid === undefined || isRunning(Number(pid)) || !isOwn(path)) continue;
    await removeWorkDirectory(path);
  }
}

/** In a directory for all, a name may be anybody's, and a link to anything. */
function isOwn(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status?.isDirectory() === true && status.uid === process.getuid?.();
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

async function removeWorkDirectory(path: string): Promise<void> {
  const below = readMounts(linuxFiles)
    .filter(({ mountpoint }) => mountpoint.startsWith(`${path}/`))
    .toReversed();
  for (const { mountpoint } of below) await unmount(mountpoint);
  overwriteFiles(path);
  // Nothing but files in memory is left to unmount; for others than root there is no such mount.
  if (readMounts(linuxFiles).some(({ mountpoint }) => mountpoint === path)) {
    await runTool("umount", ["--", path]);
  }
  rmSync(path, { recursive: true, force: true });
}

/** Ends a mount of FUSE. One that is in use ends when it no longer is. */
export async function unmount(mountpoint: string): Promise<void> {
  try {
    await runTool("fusermount3", ["-u", "--", mountpoint]);
  } catch {
    // Something still has a file open there, for example what an editor left running.
    await runTool("fusermount3", ["-u", "-z", "--", mountpoint]);
  }
}

/** Best effort: file systems that write elsewhere (copy on write, flash) keep what was there. */
function overwriteFiles(directory: string): void {
  const found = readdirSync(directory, { withFileTypes: true, recursive: true });
  for (const entry of found) {
    if (entry.isFile()) overwrite(join(entry.parentPath, entry.name));
  }
}

function overwrite(path: string): void {
  // The files of gocryptfs itself are read-only.
  chmodSync(path, 0o600);
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const zeros = Buffer.alloc(fstatSync(descriptor).size);
    if (zeros.length > 0) writeSync(descriptor, zeros, 0, zeros.length, 0);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
