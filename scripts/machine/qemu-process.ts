import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../src/base/errors.ts";
import { openQmp, type Qmp } from "../../src/vm/qmp.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

const QEMU = "qemu-system-x86_64";
const QMP_LIMIT_MS = 10_000;
const POLL_MS = 10;

/** How QEMU ended. Both null: it never started. */
export interface QemuExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface QemuProcess {
  readonly identity: ProcessIdentity;
  readonly qmp: Qmp;
  readonly exit: Promise<QemuExit>;
}

export interface QemuStart {
  /** Holds `qmp.sock` and what QEMU prints. */
  readonly directory: string;
  readonly isDetached: boolean;
  /** Process in whose network namespace QEMU runs; left out: that of this process. */
  readonly namespacePid?: number;
}

/**
 * Starts QEMU and opens its QMP socket.
 *
 * One that is not detached is killed by the kernel when this process ends. That covers a test runner
 * which is itself killed and runs no exit hooks.
 *
 * @throws AgentError `E_MACHINE_START` with what QEMU said.
 */
export async function startQemu(args: readonly string[], start: QemuStart): Promise<QemuProcess> {
  const child = spawnQemu(args, start);
  const exit = watchExit(child);
  try {
    const qmp = await openQmpOf(child, start.directory);
    const identity = identify(child.pid ?? 0);
    if (identity === null) throw startError(start.directory);
    return { identity, qmp, exit };
  } catch (error) {
    child.kill("SIGKILL");
    await exit;
    throw error;
  }
}

function spawnQemu(args: readonly string[], start: QemuStart): ChildProcess {
  const { directory, isDetached, namespacePid } = start;
  const output = openSync(logOf(directory), "w", 0o600);
  // Both programs turn into the next one, so that the pid is the one of QEMU in the end.
  const entered =
    namespacePid === undefined ? [] : ["nsenter", `--net=/proc/${namespacePid}/ns/net`, "--"];
  const tied = ["--pdeathsig", "KILL", "--", ...entered, QEMU, ...args];
  const child = isDetached
    ? spawn(QEMU, args, { stdio: ["ignore", output, output], detached: true })
    : spawn("setpriv", tied, { stdio: ["ignore", output, output] });
  closeSync(output);
  if (isDetached) child.unref();
  return child;
}

function watchExit(child: ChildProcess): Promise<QemuExit> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ status: null, signal: null }));
    child.once("exit", (status, signal) => resolve({ status, signal }));
  });
}

async function openQmpOf(child: ChildProcess, directory: string): Promise<Qmp> {
  const deadlineMs = performance.now() + QMP_LIMIT_MS;
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const qmp = await openQmp(join(directory, "qmp.sock")).catch(() => null);
    if (qmp !== null) return qmp;
    if (performance.now() > deadlineMs) break;
    await sleep(POLL_MS);
  }
  throw startError(directory);
}

function startError(directory: string): AgentError {
  const said = readFileSync(logOf(directory), "utf8").trim();
  return new AgentError("E_MACHINE_START", `Cannot start ${QEMU}: ${said || "it said nothing"}`);
}

function logOf(directory: string): string {
  return join(directory, "qemu.log");
}
