import type { JobInfo } from "../../client/client.ts";
import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Paint } from "../paint.ts";
import { type Cell, formatTable } from "../table.ts";
import { formatBytes, formatDuration } from "../units.ts";

export const jobs: CliCommand = {
  name: "jobs",
  summary: "List running and waiting jobs",
  options: [],
  operands: [{ name: "ID", help: "Only this job" }],
  examples: ["node0 jobs", "node0 jobs -o json"],
  async run(invocation) {
    const id = invocation.input.operands[0];
    const client = await invocation.connect();
    const args = id === undefined ? {} : { id };
    const list = (await client.value("job.list", args, invocation.limits)) as JobInfo[] | null;
    const jobs = list ?? [];
    const now = Date.now();
    await invocation.print(jobs, () => formatJobs(jobs, now, invocation.paint));
    return EXIT.ok;
  },
};

/** The text of `node0 jobs`. */
export function formatJobs(jobs: readonly JobInfo[], nowMs: number, paint: Paint): string {
  return formatTable(
    ["ID", "COMMAND", "PID", "SINCE", "CPU", "MEMORY", "WHAT"],
    jobs.map((job) => row(job, nowMs)),
    paint,
  );
}

function row(job: JobInfo, nowMs: number): Cell[] {
  const { cmd } = job;
  // A waiting job has the start time "never", long before the epoch (wire protocol 6.6).
  const isWaiting = job.starttime < 0;
  const since: Cell = isWaiting
    ? { text: "waiting", style: "yellow" }
    : formatDuration((nowMs - job.starttime) / 1000);
  return [
    String(cmd["id"]),
    String(cmd["command"]),
    job.pid > 0 ? String(job.pid) : "-",
    since,
    `${job.cpu.toFixed(1)} %`,
    formatBytes(job.rss),
    describe(cmd["arguments"]),
  ];
}

const MAX_DESCRIPTION = 60;

/** The program and its arguments, or whatever the arguments are, on one line. */
function describe(value: unknown): string {
  const { name, args } = (value ?? {}) as { name?: unknown; args?: unknown };
  const words = typeof name === "string" ? [name, ...(Array.isArray(args) ? args : [])] : undefined;
  const text = words?.join(" ") ?? (value == null ? "" : JSON.stringify(value));
  return text.length > MAX_DESCRIPTION ? `${text.slice(0, MAX_DESCRIPTION - 3)}...` : text;
}
