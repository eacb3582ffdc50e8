import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Where the machine finds the password, and the kernel command line word that says so. */
export const GUEST_PASSWORD_FILE = "/etc/node0/password";

const ALIGNMENT_BYTES = 4;
const MODE_DIRECTORY = 0o040755;
const MODE_SECRET_FILE = 0o100600;

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly content: string;
}

/**
 * Builds a small initial RAM file system that holds only the password, mode 0600.
 *
 * Source: kernel documentation, "initramfs buffer format" (newc).
 */
export function buildPasswordInitrd(password: string): Buffer {
  const entries: Entry[] = [
    { name: "etc", mode: MODE_DIRECTORY, content: "" },
    { name: "etc/node0", mode: MODE_DIRECTORY, content: "" },
    { name: GUEST_PASSWORD_FILE.slice(1), mode: MODE_SECRET_FILE, content: `${password}\n` },
    { name: "TRAILER!!!", mode: 0, content: "" },
  ];
  return Buffer.concat(entries.flatMap(formatEntry));
}

/** Writes one file that holds several initial RAM file systems one after the other. */
export function joinInitrds(target: string, initrds: readonly (string | Buffer)[]): void {
  const file = openSync(target, "wx", 0o600);
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

function formatEntry({ name, mode, content }: Entry, index: number): Buffer[] {
  const body = Buffer.from(content);
  const nameBytes = Buffer.byteLength(name) + 1;
  // inode, mode, uid, gid, links, mtime, size, device major and minor twice, name size, checksum
  const fields = [index + 1, mode, 0, 0, 1, 0, body.length, 0, 0, 0, 0, nameBytes, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  const head = Buffer.from(`${header}${name}\0`);
  return [head, padding(head.length), body, padding(body.length)];
}

function padding(lengthBytes: number): Buffer {
  return Buffer.alloc((ALIGNMENT_BYTES - (lengthBytes % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES);
}
