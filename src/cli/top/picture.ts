import type { Client, JobInfo } from "../../client/client.ts";
import type { CommandValues } from "../../client/generated/values.ts";
import type { Limits } from "../../client/limits.ts";

type Process = CommandValues["process.list"][number];

/** What a node says about itself at one moment. */
export interface Sample {
  /** Milliseconds of this computer's monotonic clock. */
  readonly atMs: number;
  readonly hostname: string;
  readonly uptimeS: number;
  readonly processors: number;
  readonly memory: CommandValues["info.mem"];
  readonly processes: readonly Process[];
  readonly jobs: readonly JobInfo[];
}

/** What used the machine between two samples. */
export interface Picture {
  readonly hostname: string;
  readonly uptimeS: number;
  readonly processors: number;
  /** Percent of all processors together. */
  readonly cpuPercent: number;
  readonly memoryTotal: number;
  readonly memoryUsed: number;
  readonly jobs: readonly JobInfo[];
  /** The busiest first; percent of one processor. */
  readonly processes: readonly {
    readonly pid: number;
    readonly name: string;
    readonly cpuPercent: number;
    readonly rss: number;
  }[];
}

export async function takeSample(client: Client, limits: Limits): Promise<Sample> {
  const [os, cpus, memory, processes] = await Promise.all([
    client.value("info.os", {}, limits),
    client.value("info.cpu", {}, limits),
    client.value("info.mem", {}, limits),
    client.value("process.list", {}, limits),
  ]);
  // Questions are jobs too: asked last, and without itself, the list holds none of them.
  const jobs = (await client.value("job.list", {}, limits)) as readonly JobInfo[];
  return {
    atMs: performance.now(),
    hostname: os.hostname,
    uptimeS: os.uptime,
    processors: cpus.length,
    memory,
    processes,
    jobs: jobs.filter(({ cmd }) => cmd["command"] !== "job.list"),
  };
}

/** Compares two samples; a process counts when it was there at both. */
export function makePicture(before: Sample, now: Sample): Picture {
  const { hostname, uptimeS, processors, memory, jobs } = now;
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000);
  const earlier = new Map(before.processes.map((process) => [identity(process), cpuTime(process)]));
  const processes = now.processes
    .map((process) => {
      const used = cpuTime(process) - (earlier.get(identity(process)) ?? cpuTime(process));
      const { pid, name, rss } = process;
      return { pid, name, cpuPercent: Math.max(0, (used / seconds) * 100), rss };
    })
    .sort((a, b) => b.cpuPercent - a.cpuPercent || b.rss - a.rss || a.pid - b.pid);
  const total = processes.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0);
  return {
    hostname,
    uptimeS,
    processors,
    cpuPercent: Math.min(100, total / Math.max(1, processors)),
    memoryTotal: memory.total,
    memoryUsed: Math.max(0, memory.total - memory.available),
    jobs,
    processes,
  };
}

/** Pids are used again. */
const identity = ({ pid, createtime }: Process): string => `${pid} ${createtime}`;

const cpuTime = ({ cpu }: Process): number => cpu.user + cpu.system;
