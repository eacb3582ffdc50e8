import { readText } from "./read-text.ts";

/** Memory counters in the shape of `info.mem`; bytes, except `usedPercent`. */
export interface MemInfo {
  readonly total: number;
  readonly available: number;
  readonly used: number;
  readonly free: number;
  readonly active: number;
  readonly inactive: number;
  /** Always 0 on Linux. */
  readonly wired: number;
  readonly buffers: number;
  readonly cached: number;
  readonly writeback: number;
  readonly dirty: number;
  readonly writebacktmp: number;
  readonly shared: number;
  readonly slab: number;
  readonly pagetables: number;
  readonly swapcached: number;
  readonly usedPercent: number;
}

export function readMemInfo(): MemInfo {
  return parseMemInfo(readText("/proc/meminfo") ?? "");
}

/**
 * Parses the text of `/proc/meminfo`, whose "kB" are units of 1024 bytes. A counter the kernel does not
 * show is 0; `used` is what is neither free, nor buffers, nor page cache.
 * Source: kernel, `Documentation/filesystems/proc.rst`, "meminfo".
 */
export function parseMemInfo(text: string): MemInfo {
  const counters = new Map<string, number>();
  for (const [, name = "", value = "0", unit] of text.matchAll(/^([^:\n]+):\s+(\d+)( kB)?$/gm)) {
    counters.set(name, Number(value) * (unit === undefined ? 1 : 1024));
  }
  const counter = (name: string): number => counters.get(name) ?? 0;
  const total = counter("MemTotal");
  const free = counter("MemFree");
  const buffers = counter("Buffers");
  const cached = counter("Cached");
  const used = Math.max(0, total - free - buffers - cached);
  return {
    total,
    available: counter("MemAvailable"),
    used,
    free,
    active: counter("Active"),
    inactive: counter("Inactive"),
    wired: 0,
    buffers,
    cached,
    writeback: counter("Writeback"),
    dirty: counter("Dirty"),
    writebacktmp: counter("WritebackTmp"),
    shared: counter("Shmem"),
    slab: counter("Slab"),
    pagetables: counter("PageTables"),
    swapcached: counter("SwapCached"),
    usedPercent: total === 0 ? 0 : (used / total) * 100,
  };
}
