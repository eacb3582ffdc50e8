import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../src/base/errors.ts";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import { endProcess, isAlive, type ProcessIdentity } from "./process-identity.ts";

/** The facts of the machine that `scripts/up` started: `.node0/up.json`. Paths are absolute. */
export interface UpRecord {
  /** Null for a machine without network card. */
  readonly redis: {
    readonly host: string;
    readonly port: number;
    readonly passwordFile: string;
  } | null;
  readonly serialLog: string;
  readonly qemuPid: number;
  readonly accel: "kvm" | "tcg";
  readonly accelReason: string;
  readonly timeline: readonly PhaseStatus[];
  readonly image: { readonly kernelBytes: number; readonly initrdBytes: number };
  /** What `scripts/down` needs to end exactly this run. */
  readonly run: {
    readonly directory: string;
    readonly processes: readonly ProcessIdentity[];
  };
}

const STOP_GRACE_MS = 5000;

/** Where `scripts/up` keeps the files of a run unless told otherwise. */
export const STATE_DIRECTORY = join(import.meta.dirname, "../../.node0");

/** Files of a run in its state directory; the password and caches stay. */
export const RECORD = "up.json";
export const CONTEXT = "context.json";
export const SERIAL_LOG = "serial.log";
export const PASSWORD = "password";

/** The record of the last run, whether or not its machine still lives; null when there is none. */
export function readUpRecord(stateDirectory: string): UpRecord | null {
  try {
    return JSON.parse(readFileSync(join(stateDirectory, RECORD), "utf8")) as UpRecord;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

export function writeUpRecord(stateDirectory: string, record: UpRecord): void {
  writeWhole(join(stateDirectory, RECORD), record);
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

/** Ends what is left of a run and removes its files. `keepLog` leaves the serial log for reading. */
export async function clearRun(
  stateDirectory: string,
  record: UpRecord,
  { keepLog }: { readonly keepLog: boolean },
): Promise<void> {
  const { directory, processes } = record.run;
  for (const process of processes) {
    await endProcess(process, { word: directory, graceMs: STOP_GRACE_MS });
  }
  rmSync(directory, { recursive: true, force: true });
  for (const name of [CONTEXT, RECORD, ...(keepLog ? [] : [SERIAL_LOG])]) {
    rmSync(join(stateDirectory, name), { force: true });
  }
}

/** A reader never sees half a file. */
function writeWhole(path: string, value: unknown): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
