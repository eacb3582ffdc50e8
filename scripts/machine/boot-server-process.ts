import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../src/base/errors.ts";
import type { BootFiles, BootServer } from "./boot-server.ts";
import { endProcess, identify, type ProcessIdentity } from "./process-identity.ts";

const PROGRAM = join(import.meta.dirname, "boot-server-main.ts");
const START_LIMIT_MS = 5000;
const STOP_GRACE_MS = 1000;
const POLL_MS = 20;

/** Files by which the two processes talk; they lie in the directory of the machine. */
export const BOOT_FILES = "boot-files.json";
export const BOOT_URL = "boot-url";

/**
 * Starts the boot server in a process that goes on when this one ends, so that a machine left
 * running in the background can boot again after a reboot.
 */
export async function startBootServerProcess(
  files: BootFiles,
  directory: string,
): Promise<BootServer & { readonly identity: ProcessIdentity }> {
  writeFileSync(join(directory, BOOT_FILES), JSON.stringify(files), { mode: 0o600 });
  const child = spawn(process.execPath, [PROGRAM, directory], { stdio: "ignore", detached: true });
  child.unref();
  const identity = identify(child.pid ?? 0);
  const bootUrl = await waitUrl(join(directory, BOOT_URL));
  if (identity === null || bootUrl === null) {
    child.kill("SIGKILL");
    throw new AgentError("E_BOOT_SERVER", "Cannot start the boot server: it gave no address");
  }
  return {
    identity,
    bootUrl,
    close: () => endProcess(identity, { word: directory, graceMs: STOP_GRACE_MS }),
  };
}

async function waitUrl(path: string): Promise<string | null> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadlineMs) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      await sleep(POLL_MS); // not written yet
    }
  }
  return null;
}
