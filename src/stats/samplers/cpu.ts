import { readText } from "../../sys/proc/read-text.ts";
import type { Sample } from "../types.ts";
import { numbersOf, physical } from "./sample.ts";

/** `USER_HZ`, the same on every architecture there is an image for. */
const TICKS_PER_SECOND = 100;
const PERCENT = 100;

interface CpuTimes {
  /** Ticks spent on anything but waiting. */
  readonly busy: number;
  readonly all: number;
}

/**
 * Times by processor number, from `/proc/stat`. Time of guests is in `user` already.
 * Source: proc(5), `/proc/stat`.
 */
export function parseCpuTimes(text: string): Map<string, CpuTimes> {
  const times = new Map<string, CpuTimes>();
  for (const [, number = "", rest = ""] of text.matchAll(/^cpu(\d+) +(.*)$/gm)) {
    const fields = numbersOf(rest.split(" ").slice(0, TIME_FIELDS));
    const all = fields.reduce((sum, field) => sum + field, 0);
    const idle = (fields[IDLE] ?? 0) + (fields[IO_WAIT] ?? 0);
    times.set(number, { busy: all - idle, all });
  }
  return times;
}

/** user, nice, system, idle, iowait, irq, softirq, steal */
const TIME_FIELDS = 8;
const IDLE = 3;
const IO_WAIT = 4;

/**
 * Samples of the processors: those of `later`, and from the difference to `earlier` the percentage.
 *
 * @param parts.earlier, parts.later Text of `/proc/stat`, a moment apart.
 * @param parts.load Text of `/proc/loadavg`.
 */
export function cpuSamples(parts: {
  readonly earlier: string;
  readonly later: string;
  readonly load: string;
}): Sample[] {
  const before = parseCpuTimes(parts.earlier);
  const samples: Sample[] = [];
  for (const [id, { busy, all }] of parseCpuTimes(parts.later)) {
    const seconds = busy / TICKS_PER_SECOND;
    samples.push(physical({ op: "D", metric: "machine.CPU.utilisation", value: seconds, id }));
    const was = before.get(id);
    if (was === undefined || all <= was.all) continue;
    const percent = (Math.max(0, busy - was.busy) / (all - was.all)) * PERCENT;
    samples.push(physical({ op: "A", metric: "machine.CPU.percent", value: percent, id }));
  }
  const counters: readonly [metric: string, pattern: RegExp, text: string, op: "A" | "D"][] = [
    ["machine.CPU.contextswitch", /^ctxt (\d+)/m, parts.later, "D"],
    ["machine.CPU.interrupts", /^intr (\d+)/m, parts.later, "D"],
    ["machine.process.threads", /^\S+ \S+ \S+ \d+\/(\d+)/, parts.load, "A"],
  ];
  for (const [metric, pattern, text, op] of counters) {
    const value = pattern.exec(text)?.[1];
    if (value !== undefined) samples.push(physical({ op, metric, value: Number(value) }));
  }
  return samples;
}

/** @param wait Resolves a second later, or when the agent goes down. */
export async function sampleCpu(wait: () => Promise<void>): Promise<Sample[]> {
  const earlier = readText("/proc/stat") ?? "";
  await wait();
  const later = readText("/proc/stat") ?? "";
  return cpuSamples({ earlier, later, load: readText("/proc/loadavg") ?? "" });
}
