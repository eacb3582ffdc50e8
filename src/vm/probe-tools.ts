import { execFile, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../base/errors.ts";
import { PROBE_EXIT_PORT } from "./probe-guest.ts";

export interface ProbeOutcome {
  /** Exit status of QEMU; null when it was ended by a signal. */
  readonly status: number | null;
  readonly isTimedOut: boolean;
  readonly stderr: string;
}

export interface ProbeRun {
  readonly qemu: string;
  /** Firmware image. */
  readonly guest: Buffer;
  readonly timeoutMs: number;
}

/** What the acceleration probe needs of the machine it runs on; tests pass their own. */
export interface ProbeTools {
  /** Why `/dev/kvm` cannot even be tried, or null. */
  kvmProblem(): string | null;
  kernelRelease(): string;
  cpuModel(): string;
  /** First line of `qemu --version`; empty when there is no such program. */
  qemuVersion(qemu: string): Promise<string>;
  runGuest(run: ProbeRun): Promise<ProbeOutcome>;
}

export const systemProbeTools: ProbeTools = {
  kvmProblem,
  kernelRelease: release,
  cpuModel: () => cpus()[0]?.model ?? "unknown",
  qemuVersion,
  runGuest: (run) => runProbeGuest(run, "kvm"),
};

function kvmProblem(): string | null {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    return errorCode(error) === "ENOENT"
      ? "this host has no /dev/kvm"
      : "/dev/kvm may not be opened by this user";
  }
}

function qemuVersion(qemu: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(qemu, ["--version"], (_error, stdout) => resolve(stdout.split("\n")[0] ?? ""));
  });
}

/** Runs a probe guest to its end or to the time limit. Exported for the check of the guest itself. */
export async function runProbeGuest(run: ProbeRun, accel: string): Promise<ProbeOutcome> {
  const directory = mkdtempSync(join(tmpdir(), "node0-probe-"));
  try {
    const firmware = join(directory, "guest.bin");
    writeFileSync(firmware, run.guest);
    return await runQemu(run, [
      ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
      ...["-machine", "pc", "-accel", accel, "-m", "16", "-bios", firmware],
      ...["-device", `isa-debug-exit,iobase=${PROBE_EXIT_PORT},iosize=4`],
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runQemu(run: ProbeRun, args: readonly string[]): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const child = spawn(run.qemu, args, { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      child.kill("SIGKILL");
    }, run.timeoutMs);
    const finish = (status: number | null): void => {
      clearTimeout(timer);
      resolve({ status, isTimedOut, stderr });
    };
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", (error) => {
      stderr += error.message;
      finish(null);
    });
    child.once("close", (status) => finish(status));
  });
}
