import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { buildProbeGuest, PROBE_PASSED_STATUS } from "./probe-guest.ts";
import { type ProbeOutcome, type ProbeTools, systemProbeTools } from "./probe-tools.ts";

export interface Acceleration {
  readonly accel: "kvm" | "tcg";
  /** One line in plain words: why this one. */
  readonly reason: string;
}

export interface ProbeOptions {
  /** QEMU program; default `qemu-system-x86_64`. */
  readonly qemu?: string;
  /** JSON file that keeps answers between runs; none is kept without it. */
  readonly cachePath?: string;
  /** How long the probe guest may take; default 3000. A working one needs about 100. */
  readonly timeoutMs?: number;
  readonly tools?: ProbeTools;
}

const DEFAULT_TIMEOUT_MS = 3000;

/**
 * Finds out whether KVM can run a guest here. That `/dev/kvm` opens and creates virtual machines
 * proves nothing: under some hypervisors a guest hangs at its first long-mode instruction. So a tiny
 * guest is run with a time limit. The answer is kept per kernel, processor and QEMU version.
 *
 * Never fails: whatever goes wrong means software emulation, with the reason.
 */
export async function probeAcceleration(options: ProbeOptions = {}): Promise<Acceleration> {
  const tools = options.tools ?? systemProbeTools;
  const qemu = options.qemu ?? "qemu-system-x86_64";
  const unusable = tools.kvmProblem();
  if (unusable !== null) return { accel: "tcg", reason: unusable };

  const key = `${tools.kernelRelease()} | ${tools.cpuModel()} | ${await tools.qemuVersion(qemu)}`;
  const known = readCache(options.cachePath)[key];
  if (known !== undefined) return { ...known, reason: `${known.reason} (probed before)` };

  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const found = judge(
    await tools.runGuest({ qemu, guest: buildProbeGuest(), timeoutMs }),
    timeoutMs,
  );
  writeCache(options.cachePath, key, found);
  return found;
}

/** The value of QEMU's `-accel`. */
export function accelArgument(accel: Acceleration["accel"]): string {
  return accel === "kvm" ? "kvm" : "tcg,thread=multi";
}

function judge(outcome: ProbeOutcome, timeoutMs: number): Acceleration {
  if (outcome.isTimedOut) {
    return {
      accel: "tcg",
      reason: `/dev/kvm opens, but a test guest did not reach long mode within ${timeoutMs / 1000} s`,
    };
  }
  if (outcome.status === PROBE_PASSED_STATUS) {
    return { accel: "kvm", reason: "a test guest reached long mode" };
  }
  const said = outcome.stderr.trim().split("\n").at(-1) ?? "";
  return {
    accel: "tcg",
    reason: `a test guest under KVM ended with status ${outcome.status}${said === "" ? "" : `: ${said}`}`,
  };
}

type Cache = Readonly<Record<string, Acceleration>>;

/** An absent or damaged file only means that the probe runs again. */
function readCache(path: string | undefined): Cache {
  if (path === undefined) return {};
  try {
    const cache = JSON.parse(readFileSync(path, "utf8")) as unknown;
    return typeof cache === "object" && cache !== null ? (cache as Cache) : {};
  } catch {
    return {};
  }
}

/** A cache that cannot be written costs a probe next time and is no reason to stop. */
function writeCache(path: string | undefined, key: string, found: Acceleration): void {
  if (path === undefined) return;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const text = `${JSON.stringify({ ...readCache(path), [key]: found }, null, 2)}\n`;
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    return;
  }
}
