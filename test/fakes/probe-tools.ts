import type { ProbeOutcome, ProbeRun, ProbeTools } from "../../src/vm/probe-tools.ts";

/** A host whose KVM answers as told; `runs` holds every guest that was started. */
export function fakeProbeTools(
  outcome: Partial<ProbeOutcome>,
  changes: Partial<ProbeTools> = {},
): ProbeTools & { readonly runs: ProbeRun[] } {
  const runs: ProbeRun[] = [];
  return {
    runs,
    kvmProblem: () => null,
    kernelRelease: () => "6.12.1",
    cpuModel: () => "Example CPU",
    qemuVersion: () => Promise.resolve("QEMU emulator version 10.0.0"),
    runGuest: (run) => {
      runs.push(run);
      return Promise.resolve({ status: null, isTimedOut: false, stderr: "", ...outcome });
    },
    ...changes,
  };
}
