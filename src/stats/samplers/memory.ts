import { readText } from "../../sys/proc/read-text.ts";
import type { Sample } from "../types.ts";
import { physical } from "./sample.ts";

const KIB_PER_MIB = 1024;

/** Samples from the text of `/proc/meminfo`. Source: proc(5). */
export function memorySamples(text: string): Sample[] {
  const mebibytes = (name: string): number | undefined => {
    const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    return value === undefined ? undefined : Number(value) / KIB_PER_MIB;
  };
  const left = mebibytes("SwapFree");
  const swap = mebibytes("SwapTotal");
  const values: Readonly<Record<string, number | undefined>> = {
    "machine.memory.ram.available": mebibytes("MemAvailable"),
    "machine.memory.swap.left": left,
    "machine.memory.swap.used": left === undefined || swap === undefined ? undefined : swap - left,
  };
  return Object.entries(values).flatMap(([metric, value]) =>
    value === undefined ? [] : [physical({ op: "A", metric, value })],
  );
}

export async function sampleMemory(): Promise<Sample[]> {
  return memorySamples(readText("/proc/meminfo") ?? "");
}
