import { expect, test } from "vitest";
import { parseCpuInfo } from "../../../../src/sys/proc/cpu-info.ts";
import { readFixture } from "../../../fixtures/proc/read-fixture.ts";

test("takes every value of an x86 processor from the kernel's text", () => {
  expect(parseCpuInfo(readFixture("cpuinfo-x86.txt"))[0]).toStrictEqual({
    cpu: 0,
    vendorId: "GenuineIntel",
    family: "6",
    model: "85",
    stepping: 7,
    physicalId: "0",
    coreId: "3",
    cores: 1,
    modelName: "Example(R) Processor @ 2.50GHz",
    mhz: 2494.14,
    cacheSize: 36608,
    flags: ["fpu", "vme", "de", "hypervisor"],
    microcode: "0x5003604",
  });
});

test("fills what the kernel does not tell with neutral values", () => {
  const second = parseCpuInfo(readFixture("cpuinfo-x86.txt"))[1];
  expect(second).toMatchObject({ cpu: 1, stepping: 0, cacheSize: 0, microcode: "", mhz: 1200 });
});

test("reads the keys of arm kernels and skips the block about the board", () => {
  const cpus = parseCpuInfo(readFixture("cpuinfo-arm64.txt"));
  expect(cpus).toHaveLength(1);
  expect(cpus[0]).toMatchObject({
    vendorId: "0x41",
    family: "8",
    model: "0xd0c",
    stepping: 1,
    flags: ["fp", "asimd", "evtstrm"],
  });
});

test("has no processors for an empty text", () => {
  expect(parseCpuInfo("")).toStrictEqual([]);
});
