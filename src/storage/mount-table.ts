import { parseMounts } from "../sys/proc/mounts.ts";
import { readText } from "../sys/proc/read-text.ts";

/** One mount in the shape of `disk.mounts`. */
export interface MountEntry {
  readonly mountpoint: string;
  readonly filesystem: string;
  /** A word without value has the value `1`. */
  readonly options: Readonly<Record<string, string>>;
}

/** The mount table of the agent, by device. */
export function readMountTable(): Record<string, MountEntry[]> {
  return groupMounts(readText("/proc/self/mounts") ?? "");
}

export function groupMounts(text: string): Record<string, MountEntry[]> {
  const entries = parseMounts(text).map(({ device, mountpoint, fstype, opts }) => ({
    device,
    entry: { mountpoint, filesystem: fstype, options: parseOptions(opts) },
  }));
  const groups = new Map<string, MountEntry[]>();
  for (const { device, entry } of entries) {
    groups.set(device, [...(groups.get(device) ?? []), entry]);
  }
  return Object.fromEntries(groups);
}

function parseOptions(text: string): Record<string, string> {
  const words = text.split(",").filter((word) => word !== "");
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf("=");
      return at < 0 ? [word, "1"] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
