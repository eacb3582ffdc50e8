import { cpu, mem, osInfo, processes } from "systeminformation";
import { describe, expect, test } from "vitest";
import { readCpus } from "../../src/sys/proc/cpu-info.ts";
import { readHostInfo } from "../../src/sys/proc/host-info.ts";
import { readMemInfo } from "../../src/sys/proc/mem-info.ts";
import { listPids } from "../../src/sys/proc/pids.ts";

/** The same facts from a library that reads them in its own way. */
describe("facts agree with an independent reader", () => {
  test("names of system, kernel and host are the same", async () => {
    const [ours, theirs] = await Promise.all([readHostInfo(), osInfo()]);

    expect(ours.kernelVersion).toBe(theirs.kernel);
    expect(ours.hostname).toBe(theirs.hostname);
    expect(ours.os).toBe(theirs.platform);
  });

  test("there is one entry per processor, with its family and model", async () => {
    const [ours, theirs] = await Promise.all([readCpus(), cpu()]);

    expect(ours).toHaveLength(theirs.cores);
    expect(ours[0]?.family).toBe(theirs.family);
    expect(ours[0]?.model).toBe(theirs.model);
  });

  test("memory counters mean the same", async () => {
    const [ours, theirs] = [readMemInfo(), await mem()];

    expect(ours.total).toBe(theirs.total);
    expect(Math.abs(ours.available - theirs.available) / theirs.total).toBeLessThan(0.05);
    expect(Math.abs(ours.buffers - theirs.buffers) / theirs.total).toBeLessThan(0.05);
  });

  test("the processes of this test are in both lists", async () => {
    const theirs = (await processes()).list.map(({ pid }) => pid);

    for (const pid of [process.pid, process.ppid]) {
      expect(listPids()).toContain(pid);
      expect(theirs).toContain(pid);
    }
  });
});
