import { statfs } from "node:fs/promises";
import { type Mount, readDeviceMounts } from "../../sys/proc/mounts.ts";
import { readTextAsync } from "../../sys/proc/read-text.ts";
import { SlowFiles } from "../../sys/slow-files.ts";
import type { Sample } from "../types.ts";
import { numbersOf, physical } from "./sample.ts";

/** Of a sector in `/proc/diskstats`, whatever the disk. */
const SECTORS_PER_KIB = 2;

/**
 * Samples from the text of `/proc/diskstats`. Devices that were never read nor written, such as unused
 * loop devices, have none.
 * Source: kernel, `Documentation/admin-guide/iostats.rst`.
 */
export function diskSamples(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, , id = "", ...rest] = line.trim().split(/\s+/);
    const [reads = 0, , sectorsRead = 0, , writes = 0, , sectorsWritten = 0] = numbersOf(rest);
    if (id === "" || reads + writes === 0) return [];
    const values: Readonly<Record<string, number>> = {
      "disk.iops.read": reads,
      "disk.iops.write": writes,
      "disk.throughput.read": sectorsRead / SECTORS_PER_KIB,
      "disk.throughput.write": sectorsWritten / SECTORS_PER_KIB,
    };
    return Object.entries(values).map(([metric, value]) =>
      physical({ op: "D", metric, value, id }),
    );
  });
}

/** One of its own: a disk that does not answer must not keep others from reading their files. */
const fileSystems = new SlowFiles();

/** Sizes of the mounted file systems that live on a device, each once. */
async function sizeSamples(mounts: readonly Mount[]): Promise<Sample[]> {
  const first = new Map<string, Mount>();
  for (const mount of mounts) if (!first.has(mount.device)) first.set(mount.device, mount);
  const samples: Sample[] = [];
  for (const { device, mountpoint, fstype } of first.values()) {
    const sizes = await fileSystems
      .read({ path: mountpoint, code: "E_NO_ANSWER", work: () => statfs(mountpoint) })
      // It was unmounted meanwhile, may not be seen, or does not answer: then it has no size now.
      .catch(() => undefined);
    if (sizes === undefined) continue;
    const id = device.replace(/^\/dev\//, "");
    const row = { op: "A", id, tags: [["fs", fstype]] } as const;
    const { bsize, blocks, bavail } = sizes;
    samples.push(physical({ ...row, metric: "disk.size.total", value: blocks * bsize }));
    samples.push(physical({ ...row, metric: "disk.size.free", value: bavail * bsize }));
  }
  return samples;
}

export async function sampleDisks(): Promise<Sample[]> {
  const counters = diskSamples((await readTextAsync("/proc/diskstats")) ?? "");
  return [...counters, ...(await sizeSamples(readDeviceMounts()))];
}
