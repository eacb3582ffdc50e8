import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { formatUstar, parseUstar, USTAR_LIMITS, type UstarEntry } from "./ustar.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/**
 * Packs what is in a directory. Links, devices and sockets in it are errors, as are links in place
 * of its directories, even when somebody puts them there meanwhile.
 *
 * @returns The archive: same files, same bytes.
 * @throws AgentError `E_ARCHIVE`, or the system error.
 */
export function writeTree(directory: string): Buffer {
  return formatUstar(readTree(directory));
}

/** What is in a directory, as entries of an archive; see {@link writeTree}. */
export function readTree(directory: string): UstarEntry[] {
  const entries: UstarEntry[] = [];
  let sizeBytes = 0;
  const visit = (opened: number, below: string): void => {
    // Paths through the descriptor: the directory that was checked is the one that is read.
    const here = `/proc/self/fd/${opened}`;
    for (const found of readdirSync(here, { withFileTypes: true })) {
      const path = below === "" ? found.name : `${below}/${found.name}`;
      if (!found.isFile() && !found.isDirectory()) throw strange(directory, path);
      const flags = found.isDirectory() ? O_DIRECTORY : O_NONBLOCK;
      withOpen(`${here}/${found.name}`, O_RDONLY | O_NOFOLLOW | flags, (descriptor) => {
        if (found.isDirectory()) {
          entries.push({ kind: "directory", path });
          visit(descriptor, path);
          return;
        }
        const status = fstatSync(descriptor);
        if (!status.isFile()) throw strange(directory, path);
        sizeBytes += status.size;
        if (sizeBytes > USTAR_LIMITS.sizeBytes) throw tooLarge(directory);
        const isExecutable = (status.mode & 0o100) !== 0;
        entries.push({ kind: "file", path, isExecutable, content: readFileSync(descriptor) });
      });
    }
  };
  withOpen(directory, O_RDONLY | O_NOFOLLOW | O_DIRECTORY, (descriptor) => visit(descriptor, ""));
  return entries;
}

/**
 * Unpacks an archive as a directory. The archive is checked whole first; then the tree is built
 * beside (`<directory>.new`), synced and renamed, so that the directory is the old one or the new
 * one. Files get mode 0600 (0700 where executable), directories 0700.
 *
 * @param directory Replaced if it is there; its parent exists.
 * @throws AgentError `E_ARCHIVE`, or the system error; the directory is then as it was.
 */
export function extractTree(archive: Uint8Array, directory: string): void {
  placeTree(parseUstar(archive), directory);
}

/** {@link extractTree} for entries at hand: parents before children, names already checked. */
export function placeTree(entries: readonly UstarEntry[], directory: string): void {
  const [fresh, former] = [`${directory}.new`, `${directory}.old`];
  rmSync(fresh, { recursive: true, force: true });
  try {
    fill(entries, fresh);
    rmSync(former, { recursive: true, force: true });
    if (existsSync(directory)) renameSync(directory, former);
    try {
      renameSync(fresh, directory);
    } catch (error) {
      if (existsSync(former)) renameSync(former, directory);
      throw error;
    }
    syncDirectory(dirname(directory));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    if (existsSync(directory)) rmSync(former, { recursive: true, force: true });
  }
}

/** Nobody else can put anything into a directory just made with mode 0700: its paths are safe. */
function fill(entries: readonly UstarEntry[], fresh: string): void {
  mkdirSync(fresh, { mode: 0o700 });
  const directories = [fresh];
  for (const entry of entries) {
    const to = join(fresh, entry.path);
    if (entry.kind === "directory") {
      mkdirSync(to, { mode: 0o700 });
      directories.push(to);
      continue;
    }
    withOpen(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (descriptor) => {
      fchmodSync(descriptor, entry.isExecutable ? 0o700 : 0o600);
      writeFileSync(descriptor, entry.content);
      fsyncSync(descriptor);
    });
  }
  for (const path of directories.toReversed()) syncDirectory(path);
}

function syncDirectory(path: string): void {
  withOpen(path, O_RDONLY | O_DIRECTORY, fsyncSync);
}

function withOpen(path: string, flags: number, use: (descriptor: number) => void): void {
  const descriptor = openSync(path, flags, 0o600);
  try {
    use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function strange(directory: string, path: string): AgentError {
  const seen = `${JSON.stringify(path)} is neither file nor directory`;
  return new AgentError("E_ARCHIVE", `Cannot pack ${directory}: ${seen}, expected only those`);
}

function tooLarge(directory: string): AgentError {
  return new AgentError(
    "E_ARCHIVE",
    `Cannot pack ${directory}: more content seen, expected at most ${USTAR_LIMITS.sizeBytes} bytes`,
  );
}
