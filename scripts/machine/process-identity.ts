import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Enough to recognise a process again although pids are reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since the host booted. */
  readonly startTicks: number;
}

const POLL_MS = 20;

/** Identity of a live process; null for one that is gone or only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readProc(pid, "stat");
  if (stat === null) return null;
  // The name, field 2, may hold spaces and brackets: proc(5) counts from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : { pid, startTicks: Number(fields[19]) };
}

/** True while the very same process lives and `word` stands in its argument list. */
export function isAlive(process: ProcessIdentity, word: string): boolean {
  if (identify(process.pid)?.startTicks !== process.startTicks) return false;
  return readProc(process.pid, "cmdline")?.includes(word) ?? false;
}

/** Ends a process: SIGTERM, then SIGKILL after `graceMs`. Does nothing to one that is not ours. */
export async function endProcess(
  target: ProcessIdentity,
  { word, graceMs }: { readonly word: string; readonly graceMs: number },
): Promise<void> {
  for (const [signal, limitMs] of [
    ["SIGTERM", graceMs],
    ["SIGKILL", graceMs],
  ] as const) {
    const deadlineMs = performance.now() + limitMs;
    if (isAlive(target, word)) process.kill(target.pid, signal);
    while (isAlive(target, word) && performance.now() < deadlineMs) await sleep(POLL_MS);
  }
}

function readProc(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return null; // ENOENT or ESRCH: no such process, which is an answer here
  }
}
