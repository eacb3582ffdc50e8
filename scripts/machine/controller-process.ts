import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../src/base/errors.ts";
import { endProcess, identify, type ProcessIdentity } from "./process-identity.ts";

/** This host as a machine in QEMU's user network sees it. */
export const HOST_SEEN_BY_GUEST = "10.0.2.2";

export interface ControllerStart {
  /** All state of the controller: kept between runs, so that the machine stays the same one. */
  readonly directory: string;
  /** Directory of the run the controller ends with. */
  readonly runDirectory: string;
  readonly log: string;
  readonly signal: AbortSignal;
}

export interface ControllerProcess {
  readonly identity: ProcessIdentity;
  readonly directory: string;
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
}

const PROGRAM = join(import.meta.dirname, "controller-main.ts");
const START_LIMIT_MS = 30_000;
const STOP_GRACE_MS = 5000;
const POLL_MS = 20;

/**
 * Starts a controller on the loopback interface, in a process that goes on when this one ends.
 *
 * @throws AgentError `E_CONTROLLER_START` with what the controller said.
 */
export async function startController(start: ControllerStart): Promise<ControllerProcess> {
  const { directory, runDirectory, log, signal } = start;
  const urlFile = join(directory, "url");
  mkdirSync(dirname(log), { recursive: true });
  const former = inodeOf(urlFile);
  const child = spawnController(start);
  const identity = identify(child.pid ?? 0);
  try {
    const url = await waitUrl(urlFile, { former, child, signal });
    if (identity === null || url === null) throw startError(directory, log);
    return {
      identity,
      directory,
      url,
      caFile: join(directory, "ca.crt"),
      tokenFile: join(directory, "operator-token"),
    };
  } catch (error) {
    if (identity !== null) {
      await endProcess(identity, { word: runDirectory, graceMs: STOP_GRACE_MS });
    }
    throw error;
  }
}

function spawnController({ directory, runDirectory, log }: ControllerStart): ChildProcess {
  const output = openSync(log, "w", 0o600);
  const words = ["--dir", directory, "--listen", "127.0.0.1:0", "--name", HOST_SEEN_BY_GUEST];
  // The master key lies in the directory: one of the environment would lock this controller out.
  const { NODE0_CONTROLLER_MASTER_KEY: _, ...env } = process.env;
  const child = spawn(process.execPath, [PROGRAM, runDirectory, ...words], {
    stdio: ["ignore", output, output],
    detached: true,
    env,
  });
  closeSync(output);
  child.unref();
  return child;
}

interface UrlWait {
  readonly former: number | null;
  readonly child: ChildProcess;
  readonly signal: AbortSignal;
}

/** Waits for another file than the former one, which may be that of a controller that works here. */
async function waitUrl(path: string, { former, child, signal }: UrlWait): Promise<string | null> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadlineMs) {
    signal.throwIfAborted();
    const inode = inodeOf(path);
    if (inode !== null && inode !== former) return readFileSync(path, "utf8").trim();
    await sleep(POLL_MS);
  }
  return null;
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function startError(directory: string, log: string): AgentError {
  const lines = readFileSync(log, "utf8").trim().split("\n");
  const said = lines.findLast((line) => line.startsWith("controller: ")) ?? lines.at(-1);
  const reason = said?.replace("controller: ", "") || "it said nothing";
  return new AgentError(
    "E_CONTROLLER_START",
    `Cannot start the controller of ${directory}: ${reason}`,
  );
}
