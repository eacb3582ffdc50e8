import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accelArgument, probeAcceleration } from "../../../src/vm/accel.ts";
import { buildProbeGuest, PROBE_PASSED_STATUS } from "../../../src/vm/probe-guest.ts";
import { fakeProbeTools } from "../../fakes/probe-tools.ts";

let directory: string;
let cachePath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-accel-"));
  cachePath = join(directory, "cache/accel.json");
});

afterEach(() => rmSync(directory, { recursive: true }));

describe("probeAcceleration", () => {
  test("uses KVM when the guest reached long mode", async () => {
    const tools = fakeProbeTools({ status: PROBE_PASSED_STATUS });
    const { accel, reason } = await probeAcceleration({ tools });
    expect(accel).toBe("kvm");
    expect(reason).toBe("a test guest reached long mode");
  });

  test("falls back to emulation when the guest hangs", async () => {
    const tools = fakeProbeTools({ isTimedOut: true });
    const found = await probeAcceleration({ tools, timeoutMs: 1500 });
    expect(found).toEqual({
      accel: "tcg",
      reason: "/dev/kvm opens, but a test guest did not reach long mode within 1.5 s",
    });
    expect(tools.runs[0]?.timeoutMs).toBe(1500);
  });

  test("falls back to emulation with the last line QEMU said", async () => {
    const tools = fakeProbeTools({
      status: 1,
      stderr: "warning: a\nfailed to initialize kvm: busy\n",
    });
    const { accel, reason } = await probeAcceleration({ tools });
    expect(accel).toBe("tcg");
    expect(reason).toBe(
      "a test guest under KVM ended with status 1: failed to initialize kvm: busy",
    );
  });

  test("starts no guest on a host without KVM", async () => {
    const tools = fakeProbeTools({}, { kvmProblem: () => "this host has no /dev/kvm" });
    const found = await probeAcceleration({ tools, cachePath });
    expect(found).toEqual({ accel: "tcg", reason: "this host has no /dev/kvm" });
    expect(tools.runs).toEqual([]);
  });

  test("remembers the answer for the same kernel, processor and QEMU", async () => {
    const tools = fakeProbeTools({ isTimedOut: true });
    await probeAcceleration({ tools, cachePath });
    const again = await probeAcceleration({ tools, cachePath });
    expect(tools.runs).toHaveLength(1);
    expect(again.accel).toBe("tcg");
    expect(again.reason).toMatch(/\(probed before\)$/);
  });

  test.each([
    ["kernel", { kernelRelease: () => "6.12.2" }],
    ["processor", { cpuModel: () => "Other CPU" }],
    ["QEMU", { qemuVersion: () => Promise.resolve("QEMU emulator version 10.0.1") }],
  ])("probes again after a change of the %s", async (_what, change) => {
    await probeAcceleration({ tools: fakeProbeTools({ isTimedOut: true }), cachePath });
    const tools = fakeProbeTools({ status: PROBE_PASSED_STATUS }, change);
    expect((await probeAcceleration({ tools, cachePath })).accel).toBe("kvm");
  });

  test("probes again when the kept answers are damaged", async () => {
    cachePath = join(directory, "accel.json");
    writeFileSync(cachePath, "{");
    const tools = fakeProbeTools({ status: PROBE_PASSED_STATUS });
    expect((await probeAcceleration({ tools, cachePath })).accel).toBe("kvm");
    await probeAcceleration({ tools, cachePath });
    expect(tools.runs).toHaveLength(1);
  });
});

test("asks for multi-threaded emulation", () => {
  expect(accelArgument("tcg")).toBe("tcg,thread=multi");
  expect(accelArgument("kvm")).toBe("kvm");
});

test("the probe guest starts at the reset vector with a jump to the start of its ROM", () => {
  const rom = buildProbeGuest();
  expect(rom.length).toBe(65_536);
  expect(rom.subarray(0xfff0, 0xfff5).toString("hex")).toBe("ea000000f0");
});
