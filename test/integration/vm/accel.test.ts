import { expect, test } from "vitest";
import { probeAcceleration } from "../../../src/vm/accel.ts";
import { buildProbeGuest, PROBE_PASSED_STATUS } from "../../../src/vm/probe-guest.ts";
import { runProbeGuest } from "../../../src/vm/probe-tools.ts";

const QEMU = "qemu-system-x86_64";

test("the probe guest passes where the processor is emulated", async () => {
  const run = { qemu: QEMU, guest: buildProbeGuest(), timeoutMs: 20_000 };
  const outcome = await runProbeGuest(run, "tcg");
  expect(outcome).toMatchObject({ status: PROBE_PASSED_STATUS, isTimedOut: false });
});

test("a guest that never answers is ended at the time limit", async () => {
  const guest = buildProbeGuest();
  guest.set([0xeb, 0xfe], 0xfff0);
  const outcome = await runProbeGuest({ qemu: QEMU, guest, timeoutMs: 500 }, "tcg");
  expect(outcome).toMatchObject({ status: null, isTimedOut: true });
});

test("this host gets an answer with a reason", async () => {
  const { accel, reason } = await probeAcceleration({ qemu: QEMU });
  expect(["kvm", "tcg"]).toContain(accel);
  expect(reason).not.toBe("");
});
