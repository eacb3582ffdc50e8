import { readText, readTextAsync } from "./read-text.ts";

/** One logical CPU, in the shape of `info.cpu`. */
export interface CpuInfo {
  readonly cpu: number;
  readonly vendorId: string;
  readonly family: string;
  readonly model: string;
  readonly stepping: number;
  readonly physicalId: string;
  readonly coreId: string;
  /** Always 1: one entry per logical CPU. */
  readonly cores: number;
  readonly modelName: string;
  /** Highest frequency where the kernel tells it, else the current one. */
  readonly mhz: number;
  /** KiB. */
  readonly cacheSize: number;
  readonly flags: readonly string[];
  readonly microcode: string;
}

/**
 * Reads the logical CPUs from `/proc/cpuinfo` and, where there is one, the frequency driver. Off the
 * main thread, because the kernel may take 20 ms to sample the current frequencies.
 */
export async function readCpus(): Promise<CpuInfo[]> {
  return parseCpuInfo((await readTextAsync("/proc/cpuinfo")) ?? "").map((cpu) => {
    const directory = `/sys/devices/system/cpu/cpu${cpu.cpu}/cpufreq`;
    const maximumKhz = Number(readText(`${directory}/cpuinfo_max_freq`) ?? Number.NaN);
    return Number.isFinite(maximumKhz) ? { ...cpu, mhz: maximumKhz / 1000 } : cpu;
  });
}

/**
 * Parses the text of `/proc/cpuinfo`: one block of `key : value` lines per logical CPU. Arm kernels use
 * other keys for the same facts and end with a block about the board, which has no `processor` line.
 * Source: kernel, `arch/x86/kernel/cpu/proc.c`, `arch/arm64/kernel/cpuinfo.c`.
 */
export function parseCpuInfo(text: string): CpuInfo[] {
  return text
    .split(/\n\s*\n/)
    .map(parseBlock)
    .filter((block) => /^\d+$/.test(block.get("processor") ?? ""))
    .map(toCpu);
}

function parseBlock(block: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) values.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return values;
}

function toCpu(block: Map<string, string>): CpuInfo {
  const first = (...keys: string[]): string => {
    const key = keys.find((name) => block.has(name));
    return key === undefined ? "" : (block.get(key) ?? "");
  };
  return {
    cpu: Number(first("processor")),
    vendorId: first("vendor_id", "CPU implementer"),
    family: first("cpu family", "CPU architecture"),
    model: first("model", "CPU part"),
    stepping: leadingInteger(first("stepping", "CPU revision")),
    physicalId: first("physical id"),
    coreId: first("core id"),
    cores: 1,
    modelName: first("model name"),
    mhz: Number.parseFloat(first("cpu MHz")) || 0,
    cacheSize: leadingInteger(first("cache size")),
    flags: first("flags", "Features").split(/\s+/).filter(Boolean),
    microcode: first("microcode"),
  };
}

/** `"1024 KB"` is 1024; anything without a number is 0. */
function leadingInteger(text: string): number {
  return Number.parseInt(text, 10) || 0;
}
