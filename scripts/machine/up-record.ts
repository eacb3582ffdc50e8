import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../src/base/errors.ts";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import { endProcess, identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
import { readOwner } from "./run-owner.ts";

/** What has to be ended and removed at the end of a run. */
export interface Run {
  /** Temporary directory; its path stands in the argument list of each process. */
  readonly directory: string;
  readonly processes: readonly ProcessIdentity[];
}

/** A run whose machine does not run yet. */
export interface StartedRun extends Run {
  /** The `scripts/up` that starts it; null: it was gone before this was written. */
  readonly starter: ProcessIdentity | null;
}

/** The facts of the machine that `scripts/up` started: `.node0/up.json`. Paths are absolute. */
export interface UpRecord {
  /** Null for a machine without network card. */
  readonly redis: {
    readonly host: string;
    readonly port: number;
    readonly passwordFile: string;
  } | null;
  /** Null for a machine without controller, as is `controller`. */
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly identityFile: string;
    /** Knows the machine as `hostKeyAlias`. */
    readonly knownHostsFile: string;
    readonly hostKeyAlias: string;
  } | null;
  readonly controller: {
    readonly url: string;
    readonly caFile: string;
    /** Address of the page for operators, who show the token in this file. */
    readonly page: string;
    readonly tokenFile: string;
    /** Id of the machine there. */
    readonly node: string;
  } | null;
  readonly serialLog: string;
  readonly qemuPid: number;
  readonly accel: "kvm" | "tcg";
  readonly accelReason: string;
  readonly timeline: readonly PhaseStatus[];
  readonly image: { readonly kernelBytes: number; readonly initrdBytes: number };
  /** What `scripts/down` needs to end exactly this run. */
  readonly run: Run;
}

const STOP_GRACE_MS = 5000;

/** Where `scripts/up` keeps the files of a run unless told otherwise. */
export const STATE_DIRECTORY = join(import.meta.dirname, "../../.node0");

/** Files of a run in its state directory. */
export const RECORD = "up.json";
export const CONTEXT = "context.json";
export const SERIAL_LOG = "serial.log";
export const CONTROLLER_LOG = "controller.log";
const STARTED = "starting.json";

/** What stays between runs, beside the caches. */
export const PASSWORD = "password";
export const CONTROLLER = "controller";
export const PRIVATE = "private/machine";

/** The record of the last run, whether or not its machine still lives; null when there is none. */
export function readUpRecord(stateDirectory: string): UpRecord | null {
  return readWhole<UpRecord>(join(stateDirectory, RECORD));
}

/** Writes the record of a run that is complete. */
export function writeUpRecord(stateDirectory: string, record: UpRecord): void {
  writeWhole(join(stateDirectory, RECORD), record);
  rmSync(join(stateDirectory, STARTED), { force: true });
}

/** Notes what there is of a run whose machine does not run yet, should its start be killed. */
export function writeStartedRun(stateDirectory: string, run: Run): void {
  const started: StartedRun = { ...run, starter: identify(process.pid) };
  writeWhole(join(stateDirectory, STARTED), started);
}

/** A run that is being started, or whose start was killed; null when there is none. */
export function readStartedRun(stateDirectory: string): StartedRun | null {
  const run = readWhole<StartedRun>(join(stateDirectory, STARTED));
  if (run === null) return null;
  // Who was killed in the moment after QEMU had started could not note it here.
  const owner = readOwner(run.directory);
  return owner === null ? run : { ...run, processes: [...run.processes, owner] };
}

/** True while the `scripts/up` lives that starts the run. */
export function isStarting({ starter }: StartedRun): boolean {
  return starter !== null && identify(starter.pid)?.startTicks === starter.startTicks;
}

/** Writes the file by which the command line tool finds the machine. */
export function writeContext(stateDirectory: string, redis: NonNullable<UpRecord["redis"]>): void {
  writeWhole(join(stateDirectory, CONTEXT), redis);
}

/** True while the machine of the record runs. */
export function isRunning(record: UpRecord): boolean {
  const qemu = record.run.processes.find(({ pid }) => pid === record.qemuPid);
  return qemu !== undefined && isAlive(qemu, record.run.directory);
}

/** Ends what is left of a run and removes its files. `keepLog` leaves the logs for reading. */
export async function clearRun(
  stateDirectory: string,
  { directory, processes }: Run,
  { keepLog }: { readonly keepLog: boolean },
): Promise<void> {
  for (const process of processes) {
    await endProcess(process, { word: directory, graceMs: STOP_GRACE_MS });
  }
  rmSync(directory, { recursive: true, force: true });
  const logs = keepLog ? [] : [SERIAL_LOG, CONTROLLER_LOG];
  for (const name of [CONTEXT, RECORD, STARTED, ...logs]) {
    rmSync(join(stateDirectory, name), { force: true });
  }
}

function readWhole<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** A reader never sees half a file. */
function writeWhole(path: string, value: unknown): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
