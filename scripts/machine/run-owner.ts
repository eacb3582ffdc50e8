import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../src/base/errors.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

const OWNER = "owner.json";
const CHECK_MS = 500;

/** Notes in the directory of a run for whom it is there: who starts the machine, then QEMU. */
export function writeOwner(directory: string, owner: ProcessIdentity): void {
  const path = join(directory, OWNER);
  writeFileSync(`${path}.new`, JSON.stringify(owner), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** {@link writeOwner} for this process. */
export function ownRun(directory: string): void {
  const self = identify(process.pid);
  if (self !== null) writeOwner(directory, self);
}

/** The process a run is there for, whether or not it still lives; null where none is noted. */
export function readOwner(directory: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(join(directory, OWNER), "utf8")) as ProcessIdentity;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** True while the process lives that the run is there for. */
export function isOwned(directory: string): boolean {
  const owner = readOwner(directory);
  return owner !== null && identify(owner.pid)?.startTicks === owner.startTicks;
}

/**
 * Calls `end` once the directory of a run is gone or its owner has ended, however that ended. Helpers
 * outlive who started them, and nobody is there to end them when QEMU ends by itself.
 */
export function whenRunEnds(directory: string, end: () => void): void {
  const timer = setInterval(() => {
    if (existsSync(directory) && isOwned(directory)) return;
    clearInterval(timer);
    end();
  }, CHECK_MS);
}
