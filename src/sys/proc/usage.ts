import { Breather } from "./breather.ts";
import { type PidStat, parsePidStat, parsePidStatus, TICKS_PER_SECOND } from "./pid-files.ts";
import { listPids } from "./pids.ts";
import { readText } from "./read-text.ts";

/** What a set of processes uses. Memory in bytes; shared pages count once per process. */
export interface Usage {
  /** Percent of one CPU since the previous measurement; 0 at the first. */
  readonly cpu: number;
  readonly rss: number;
  readonly vms: number;
  readonly swap: number;
}

/** One process as seen at one moment. */
export interface ProcessSample {
  readonly pid: number;
  readonly startTicks: number;
  readonly cpuTicks: number;
}

/** The given processes and everything descended from them, each once. */
export async function withDescendants(roots: readonly number[]): Promise<Set<number>> {
  if (roots.length === 0) return new Set();
  const parents = new Map<number, number>();
  const breather = new Breather();
  for (const pid of listPids()) {
    await breather.step();
    const stat = readStat(pid);
    if (stat !== undefined) parents.set(pid, stat.ppid);
  }
  return collectDescendants(roots, parents);
}

/** @param parents Parent pid by pid; roots that are not in it have ended and are left out. */
export function collectDescendants(
  roots: Iterable<number>,
  parents: ReadonlyMap<number, number>,
): Set<number> {
  const children = Map.groupBy(parents.keys(), (pid) => parents.get(pid));
  const found = new Set<number>();
  const pending = [...roots].filter((pid) => parents.has(pid));
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    pending.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Sums the usage of processes and remembers their processor time for the next measurement. */
export class UsageMeter {
  readonly #cpu = new CpuShare();

  async measure(pids: Iterable<number>, nowMs: number): Promise<Usage> {
    const breather = new Breather();
    const samples: ProcessSample[] = [];
    let [rss, vms, swap] = [0, 0, 0];
    for (const pid of pids) {
      await breather.step();
      const stat = readStat(pid);
      const status = readText(`/proc/${pid}/status`);
      if (stat === undefined || status === undefined) continue;
      const memory = parsePidStatus(status);
      rss += memory.rss;
      vms += memory.vms;
      swap += memory.swap;
      const { startTicks, userTicks, systemTicks } = stat;
      samples.push({ pid, startTicks, cpuTicks: userTicks + systemTicks });
    }
    return { cpu: this.#cpu.next(samples, nowMs), rss, vms, swap };
  }
}

/** Processor time used between two samplings, as a share of the time that passed. */
export class CpuShare {
  /** Ticks by `pid:startTicks`, so that a pid in its second life does not inherit. */
  #ticks = new Map<string, number>();
  #atMs: number | undefined;

  /** @returns Percent of one CPU: two busy CPUs are 200. 0 at the first call. */
  next(samples: readonly ProcessSample[], nowMs: number): number {
    let used = 0;
    const ticks = new Map<string, number>();
    for (const { pid, startTicks, cpuTicks } of samples) {
      const key = `${pid}:${startTicks}`;
      // A process that is new in the set began, as far as the caller is concerned, after the last call.
      used += cpuTicks - (this.#ticks.get(key) ?? 0);
      ticks.set(key, cpuTicks);
    }
    const elapsedMs = this.#atMs === undefined ? 0 : nowMs - this.#atMs;
    this.#ticks = ticks;
    this.#atMs = nowMs;
    return elapsedMs <= 0 ? 0 : (used * 1000 * 100) / TICKS_PER_SECOND / elapsedMs;
  }
}

function readStat(pid: number): PidStat | undefined {
  return parsePidStat(readText(`/proc/${pid}/stat`) ?? "");
}
