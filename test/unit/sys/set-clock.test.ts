import { expect, test } from "vitest";
import { ensureClockNotBefore } from "../../../src/sys/set-clock.ts";

const BUILT_AT_MS = Date.UTC(2026, 10, 20);

function clockAt(startMs: number) {
  const state = { nowMs: startMs };
  const parts = {
    nowMs: () => state.nowMs,
    setWallMs: async (wallMs: number) => {
      state.nowMs = wallMs;
    },
  };
  return { state, parts };
}

test("a clock of another age is moved to the build, and by how far is told", async () => {
  const { state, parts } = clockAt(Date.UTC(2015, 0, 1));
  const outcome = await ensureClockNotBefore(BUILT_AT_MS, parts);
  expect(outcome).toEqual({ isSet: true, byMs: BUILT_AT_MS - Date.UTC(2015, 0, 1) });
  expect(state.nowMs).toBe(BUILT_AT_MS);
});

test("a clock at or after the build is never touched", async () => {
  for (const nowMs of [BUILT_AT_MS, BUILT_AT_MS + 1]) {
    const { state, parts } = clockAt(nowMs);
    expect(await ensureClockNotBefore(BUILT_AT_MS, parts)).toEqual({ isSet: false });
    expect(state.nowMs).toBe(nowMs);
  }
});

test("a kernel that refuses is reported", async () => {
  const { parts } = clockAt(0);
  const setWallMs = (): Promise<void> => Promise.reject(new Error("EPERM"));
  await expect(ensureClockNotBefore(1, { ...parts, setWallMs })).rejects.toThrow("EPERM");
});
