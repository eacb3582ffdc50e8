import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why tests with loop devices cannot run here; undefined when they can. */
export function missingForDisks(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  for (const program of ["losetup", "parted", "mkfs.btrfs", "btrfs", "lsblk", "wipefs", "blkid"]) {
    try {
      execFileSync("which", [program], { env: PATHS });
    } catch {
      return `no ${program}`;
    }
  }
  try {
    execFileSync("losetup", ["-f"], { env: PATHS });
  } catch {
    return "no loop devices";
  }
  return undefined;
}

const PATHS = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

/** Disks made of sparse files, and whatever a test mounts; all gone after `close`. */
export class DiskLab {
  readonly directory = mkdtempSync(join(tmpdir(), "node0-disk-"));
  readonly #cleanup: (() => void)[] = [];
  #count = 0;

  /** Attaches an empty disk. @returns Its path, for example `/dev/loop3`. */
  disk(sizeMiB = 256): string {
    const file = join(this.directory, `disk${this.#count}`);
    this.#count += 1;
    writeFileSync(file, "");
    truncateSync(file, sizeMiB * 1024 * 1024);
    const path = this.run("losetup", "-P", "-f", "--show", file).trim();
    this.later(() => this.run("losetup", "-d", path));
    return path;
  }

  /** A new directory to mount something on; unmounted in the end. */
  mountpoint(): string {
    const path = mkdtempSync(join(this.directory, "mnt-"));
    this.later(() => {
      try {
        this.run("umount", path);
      } catch {
        // Not mounted any more.
      }
    });
    return path;
  }

  /** Runs a program of the host and returns what it printed. */
  run(name: string, ...args: string[]): string {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    return execFileSync(name, args, { env: PATHS, stdio, encoding: "utf8" });
  }

  /** Last in, first out. */
  later(action: () => void): void {
    this.#cleanup.push(action);
  }

  close(): void {
    const problems: unknown[] = [];
    for (const action of this.#cleanup.reverse()) {
      try {
        action();
      } catch (error) {
        problems.push(error);
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
    if (problems.length > 0) throw new AggregateError(problems, "disks were left behind");
  }
}
