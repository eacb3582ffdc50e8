import { parsePidStat, parsePidStatus, TICKS_PER_SECOND } from "./proc/pid-files.ts";
import { listPids } from "./proc/pids.ts";
import { readText } from "./proc/read-text.ts";

/** What all processes of one group use. Memory in bytes; shared pages count once per process. */
export interface GroupUsage {
  /** Percent of one CPU since the oldest member started. */
  readonly cpu: number;
  readonly rss: number;
  readonly vms: number;
  readonly swap: number;
  /** CPU time of the members that live, milliseconds. */
  readonly cpuMs: number;
}

/** The kernel's view of processes, as far as jobs need it. A job is one process group. */
export interface ProcessTree {
  /** Clock ticks after kernel start; with the pid it names a process for ever. */
  startTicks(pid: number): number | undefined;
  /** Usage by group id; a group without members is left out. */
  usage(groups: readonly number[]): Map<number, GroupUsage>;
  /** Usage of some processes together; those that ended are left out. */
  usageOf(pids: readonly number[]): GroupUsage;
  /**
   * Kills (9) what is left of the group whose leader started at `startTicks`; a group of that id
   * which began with another leader is left alone. True when something was killed.
   */
  killGroup(group: number, startTicks: number): boolean;
  /** Identifies this run of the kernel: pids and ticks mean nothing in another one. */
  bootId(): string;
}

export const linuxProcessTree: ProcessTree = {
  startTicks: (pid) => parsePidStat(readText(`/proc/${pid}/stat`) ?? "")?.startTicks,
  usage: (groups) => readUsage(new Set(groups)),
  usageOf: (pids) => sumUsage(pids.map(readMember).filter(isMember), uptimeTicks()),
  killGroup,
  bootId: () => (readText("/proc/sys/kernel/random/boot_id") ?? "").trim(),
};

interface Member {
  readonly pid: number;
  readonly startTicks: number;
  readonly cpuTicks: number;
}

function readUsage(groups: ReadonlySet<number>): Map<number, GroupUsage> {
  if (groups.size === 0) return new Map();
  const nowTicks = uptimeTicks();
  const usage = new Map<number, GroupUsage>();
  for (const [group, members] of readMembers(groups)) {
    usage.set(group, sumUsage(members, nowTicks));
  }
  return usage;
}

function uptimeTicks(): number {
  return Number.parseFloat(readText("/proc/uptime") ?? "0") * TICKS_PER_SECOND;
}

function sumUsage(members: readonly Member[], nowTicks: number): GroupUsage {
  let [cpuTicks, rss, vms, swap] = [0, 0, 0, 0];
  let oldestTicks = nowTicks;
  for (const member of members) {
    const memory = parsePidStatus(readText(`/proc/${member.pid}/status`) ?? "");
    rss += memory.rss;
    vms += memory.vms;
    swap += memory.swap;
    cpuTicks += member.cpuTicks;
    oldestTicks = Math.min(oldestTicks, member.startTicks);
  }
  const ageTicks = nowTicks - oldestTicks;
  const cpuMs = (cpuTicks * MS_PER_SECOND) / TICKS_PER_SECOND;
  return { cpu: ageTicks > 0 ? (cpuTicks / ageTicks) * 100 : 0, rss, vms, swap, cpuMs };
}

function readMembers(groups: ReadonlySet<number>): Map<number, Member[]> {
  const members = new Map<number, Member[]>();
  for (const pid of listPids()) {
    const text = readText(`/proc/${pid}/stat`) ?? "";
    const group = parseGroup(text);
    if (!groups.has(group)) continue;
    const member = parseMember(pid, text);
    if (member === undefined) continue;
    const list = members.get(group) ?? [];
    members.set(group, list);
    list.push(member);
  }
  return members;
}

function readMember(pid: number): Member | undefined {
  return parseMember(pid, readText(`/proc/${pid}/stat`) ?? "");
}

const isMember = (member: Member | undefined): member is Member => member !== undefined;

function parseMember(pid: number, text: string): Member | undefined {
  const stat = parsePidStat(text);
  if (stat === undefined) return undefined;
  const { startTicks, userTicks, systemTicks } = stat;
  return { pid, startTicks, cpuTicks: userTicks + systemTicks };
}

const MS_PER_SECOND = 1000;

/** Third field after the name of `/proc/<pid>/stat`; NaN for another text. Source: proc_pid_stat(5). */
export function parseGroup(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
  return Number.parseInt(fields[2] ?? "", 10);
}

function killGroup(group: number, startTicks: number): boolean {
  const leader = linuxProcessTree.startTicks(group);
  if (leader !== undefined && leader !== startTicks) return false;
  // A leader that is gone leaves its number to the group, and no process can take the number while
  // the group has members: members that are younger than the leader are its own.
  const members = readMembers(new Set([group])).get(group) ?? [];
  if (members.length === 0 || members.some((member) => member.startTicks < startTicks)) {
    return false;
  }
  try {
    process.kill(-group, "SIGKILL");
    return true;
  } catch {
    // The last member ended in between.
    return false;
  }
}
