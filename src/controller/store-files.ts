import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Name of the database in the directory of a controller. */
export const DATABASE_FILE = "controller.db";

/** Writes a file of mode 0600 so that after a crash it is there whole or as it was. */
export function writePrivateFile(path: string, data: string | Uint8Array): void {
  const beside = `${path}.new`;
  rmSync(beside, { force: true });
  writeFileSync(beside, data, { mode: 0o600, flush: true });
  renameSync(beside, path);
  syncDirectory(dirname(path));
}

/** Makes names that were added, renamed or removed in a directory last. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes from a directory every file that `keep` does not know. */
export function removeStrayFiles(directory: string, keep: (name: string) => boolean): void {
  for (const name of readdirSync(directory)) {
    if (!keep(name)) rmSync(join(directory, name), { force: true, recursive: true });
  }
}
