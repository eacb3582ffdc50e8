import { expect, test } from "vitest";
import { parseMemInfo } from "../../../../src/sys/proc/mem-info.ts";
import { readFixture } from "../../../fixtures/proc/read-fixture.ts";

test("turns the kernel's counters into bytes", () => {
  expect(parseMemInfo(readFixture("meminfo.txt"))).toStrictEqual({
    total: 1_024_000_000,
    available: 716_800_000,
    used: 409_600_000,
    free: 409_600_000,
    active: 22_222 * 1024,
    inactive: 33_333 * 1024,
    wired: 0,
    buffers: 51_200_000,
    cached: 153_600_000,
    writeback: 5 * 1024,
    dirty: 44 * 1024,
    writebacktmp: 9 * 1024,
    shared: 66 * 1024,
    slab: 77 * 1024,
    pagetables: 88 * 1024,
    swapcached: 11 * 1024,
    usedPercent: 40,
  });
});

test("counts what the kernel does not show as 0 and never divides by it", () => {
  expect(parseMemInfo("")).toMatchObject({ total: 0, used: 0, usedPercent: 0 });
});
