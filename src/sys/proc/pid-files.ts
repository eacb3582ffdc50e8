/**
 * Clock ticks per second in `/proc/<pid>/stat`. Part of the kernel's user-space interface: 100 on every
 * architecture the agent runs on, whatever the kernel's own tick rate. Source: `USER_HZ`, kernel,
 * `include/asm-generic/param.h`.
 */
export const TICKS_PER_SECOND = 100;

/** Fields of `/proc/<pid>/stat`; times in clock ticks. */
export interface PidStat {
  readonly name: string;
  readonly ppid: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  /** After kernel start. Together with the pid it names a process for ever. */
  readonly startTicks: number;
  /** Waiting for block devices; 0 unless the kernel accounts delays. */
  readonly blockIoTicks: number;
  readonly guestTicks: number;
}

/** Positions after the name, counted from 0 (`proc_pid_stat(5)` minus 3). */
const STAT = { ppid: 1, utime: 11, stime: 12, starttime: 19, blkio: 39, guest: 40 } as const;

/**
 * Parses the text of `/proc/<pid>/stat`. The name may itself hold blanks and brackets, so the fields
 * are counted from the last closing bracket. Undefined for a text that is not such a line.
 */
export function parsePidStat(text: string): PidStat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const fields = text
    .slice(close + 2)
    .trim()
    .split(" ");
  const field = (index: number): number => Number(fields[index] ?? 0);
  return {
    name: text.slice(open + 1, close),
    ppid: field(STAT.ppid),
    userTicks: field(STAT.utime),
    systemTicks: field(STAT.stime),
    startTicks: field(STAT.starttime),
    blockIoTicks: field(STAT.blkio),
    guestTicks: field(STAT.guest),
  };
}

/** Members of `/proc/<pid>/status`; memory in bytes, all 0 for kernel threads. */
export interface PidStatus {
  /** Id of the process a thread belongs to; equals the pid for a process. */
  readonly tgid: number;
  readonly rss: number;
  readonly vms: number;
  readonly swap: number;
}

/** Parses the text of `/proc/<pid>/status`. Source: `proc_pid_status(5)`. */
export function parsePidStatus(text: string): PidStatus {
  const number = (key: string): number => {
    const at = text.indexOf(`\n${key}:`);
    return at < 0 ? 0 : Number.parseInt(text.slice(at + key.length + 2), 10) || 0;
  };
  return {
    tgid: number("Tgid"),
    rss: number("VmRSS") * 1024,
    vms: number("VmSize") * 1024,
    swap: number("VmSwap") * 1024,
  };
}

/** One resource limit, in the shape of `process.list`. */
export interface ResourceLimit {
  /** `RLIMIT_*` number, 0 to 15. */
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

/** Limits are 32 bit signed on the wire; "unlimited" and everything larger become this. */
const LIMIT_CAP = 2_147_483_647;

/**
 * Parses the text of `/proc/<pid>/limits`: a heading, then one line per resource in the order of the
 * `RLIMIT_*` numbers (kernel, `fs/proc/base.c`, `lnames`), each with two numbers or "unlimited".
 */
export function parseLimits(text: string): ResourceLimit[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => / {2,}(\d+|unlimited) +(\d+|unlimited)(?: |$)/.exec(line))
    .filter((match) => match !== null)
    .map(([, soft = "", hard = ""], resource) => ({
      resource,
      soft: limitValue(soft),
      hard: limitValue(hard),
    }));
}

function limitValue(text: string): number {
  return text === "unlimited" ? LIMIT_CAP : Math.min(Number(text), LIMIT_CAP);
}

/** The argument vector of `/proc/<pid>/cmdline`, each argument ended by a zero byte, joined with blanks. */
export function parseCmdline(text: string): string {
  return text.replace(/\0+$/, "").replaceAll("\0", " ");
}
