import { Breather } from "./breather.ts";
import { Cmdlines } from "./cmdlines.ts";
import { parseBootTime } from "./host-info.ts";
import {
  type PidStat,
  parseLimits,
  parsePidStat,
  parsePidStatus,
  type ResourceLimit,
  TICKS_PER_SECOND,
} from "./pid-files.ts";
import { listPids } from "./pids.ts";
import { readNames, readText } from "./read-text.ts";

/** Processor time in seconds. Linux knows `user`, `system` and `iowait` per process; the rest is 0. */
export interface ProcessCpu {
  readonly guestnice: number;
  readonly idle: number;
  readonly iowait: number;
  readonly irq: number;
  readonly nice: number;
  readonly softirq: number;
  readonly steal: number;
  readonly stolen: number;
  readonly system: number;
  readonly user: number;
}

/** One process, in the shape of `process.list`. */
export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly cmdline: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createtime: number;
  readonly cpu: ProcessCpu;
  /** Bytes. */
  readonly rss: number;
  readonly vms: number;
  readonly swap: number;
  readonly rlimit: readonly ResourceLimit[];
  /** Number of open descriptors; 0 where the agent may not look. */
  readonly ofd: number;
}

const cmdlines = new Cmdlines();

/** All visible processes by pid, without holding up the event loop. */
export async function readProcesses(): Promise<ProcessInfo[]> {
  const bootTime = readBootTime();
  const breather = new Breather();
  const result: ProcessInfo[] = [];
  for (const pid of listPids()) {
    await breather.step();
    const found = await readOne(pid, bootTime);
    if (found !== undefined) result.push(found);
  }
  return result;
}

/** One process; undefined when there is none of that pid (a thread's id is no pid). */
export function readProcess(pid: number): Promise<ProcessInfo | undefined> {
  return readOne(pid, readBootTime());
}

/** Processor time of one process in the shape of `process.list`. */
export function toProcessCpu(stat: PidStat): ProcessCpu {
  return {
    guestnice: 0,
    idle: 0,
    iowait: stat.blockIoTicks / TICKS_PER_SECOND,
    irq: 0,
    nice: 0,
    softirq: 0,
    steal: 0,
    stolen: 0,
    system: stat.systemTicks / TICKS_PER_SECOND,
    user: stat.userTicks / TICKS_PER_SECOND,
  };
}

function readBootTime(): number {
  return parseBootTime(readText("/proc/stat") ?? "");
}

/** A process may end between two of these reads: it then counts as not there. */
async function readOne(pid: number, bootTime: number): Promise<ProcessInfo | undefined> {
  const directory = `/proc/${pid}`;
  const stat = parsePidStat(readText(`${directory}/stat`) ?? "");
  const statusText = readText(`${directory}/status`);
  if (stat === undefined || statusText === undefined) return undefined;
  const { tgid, rss, vms, swap } = parsePidStatus(statusText);
  if (tgid !== pid) return undefined;
  return {
    pid,
    ppid: stat.ppid,
    cmdline: await cmdlines.read(pid),
    name: stat.name,
    createtime: bootTime * 1000 + (stat.startTicks * 1000) / TICKS_PER_SECOND,
    cpu: toProcessCpu(stat),
    rss,
    vms,
    swap,
    rlimit: parseLimits(readText(`${directory}/limits`) ?? ""),
    ofd: readNames(`${directory}/fd`).length,
  };
}
