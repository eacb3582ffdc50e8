import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { formatCpio } from "../../src/image/cpio.ts";
import { Tree } from "../../src/image/tree.ts";

/** A file the machine gets beside its image. */
export interface GuestFile {
  /** Absolute; the machine takes over what is below `/etc/node0`. */
  readonly path: string;
  readonly text: string;
  /** Default: only root may read it. */
  readonly mode?: number;
}

/** Where the machine finds the password, and what the kernel command line says. */
export const GUEST_PASSWORD_FILE = "/etc/node0/password";

const ALIGNMENT_BYTES = 4;
const MODE_SECRET = 0o600;

/** Builds a small initial RAM file system that holds these files alone. */
export function buildFilesInitrd(files: readonly GuestFile[]): Buffer {
  const tree = new Tree();
  for (const { path, text, mode = MODE_SECRET } of files) tree.addText(path.slice(1), text, mode);
  return formatCpio(tree);
}

/** The password of the endpoint as a file of the machine. */
export function passwordFile(password: string): GuestFile {
  return { path: GUEST_PASSWORD_FILE, text: `${password}\n` };
}

/**
 * Writes one file that holds several initial RAM file systems one after the other.
 *
 * Source: kernel documentation, "initramfs buffer format": an archive starts on a multiple of 4.
 */
export function joinInitrds(target: string, initrds: readonly (string | Buffer)[]): void {
  const file = openSync(target, "wx", MODE_SECRET);
  try {
    for (const initrd of initrds) {
      const content = typeof initrd === "string" ? readFileSync(initrd) : initrd;
      writeSync(file, content);
      writeSync(file, padding(content.length));
    }
  } finally {
    closeSync(file);
  }
}

function padding(lengthBytes: number): Buffer {
  return Buffer.alloc((ALIGNMENT_BYTES - (lengthBytes % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES);
}
