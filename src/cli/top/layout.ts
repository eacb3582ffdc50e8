import { formatJobs } from "../commands/jobs.ts";
import type { Paint } from "../paint.ts";
import { formatPairs, formatTable } from "../table.ts";
import { formatBytes, formatDuration } from "../units.ts";
import type { Picture } from "./picture.ts";

const plain: Paint = (_style, text) => text;

/** Processes shown where nothing limits the height. */
const PROCESSES = 20;

/** The lines of a picture, none longer and not more than `size` allows; headings are painted. */
export function layOutPicture(
  picture: Picture,
  options: {
    readonly endpoint: string;
    readonly nowMs: number;
    readonly paint: Paint;
    readonly size: { readonly columns: number; readonly rows: number } | undefined;
  },
): string[] {
  const { size, paint } = options;
  const head = lines(
    formatPairs(
      [
        [
          "machine",
          `${picture.hostname} at ${options.endpoint}, up for ${formatDuration(picture.uptimeS)}`,
        ],
        ["processors", `${percent(picture.cpuPercent)} of ${picture.processors}`],
        [
          "memory",
          `${formatBytes(picture.memoryUsed)} of ${formatBytes(picture.memoryTotal)} used`,
        ],
        ["jobs", jobsText(picture)],
      ],
      plain,
    ),
  );
  const [jobHeading = "", ...jobs] = lines(formatJobs(picture.jobs, options.nowMs, plain));
  const rows = size?.rows ?? Number.POSITIVE_INFINITY;
  // A blank line and a heading before each table, and half of what is left for the jobs.
  const room = Math.max(0, rows - head.length - 4);
  const shownJobs = jobs.slice(0, Math.max(Math.ceil(room / 2), 1));
  const count = Math.min(size === undefined ? PROCESSES : room - shownJobs.length);
  const [heading = "", ...processes] = lines(
    formatTable(
      ["PID", "CPU", "MEMORY", "PROCESS"],
      picture.processes
        .slice(0, Math.max(0, count))
        .map(({ pid, cpuPercent, rss, name }) => [
          String(pid),
          percent(cpuPercent),
          formatBytes(rss),
          name,
        ]),
      plain,
    ),
  );
  const cut = (line: string): string => line.slice(0, size?.columns);
  const bold = (line: string): string => paint("bold", cut(line));
  const all = [
    ...head.map(cut),
    ...(shownJobs.length === 0 ? [] : ["", bold(jobHeading), ...shownJobs.map(cut)]),
    "",
    bold(heading),
    ...processes.map(cut),
  ];
  return all.slice(0, rows);
}

function jobsText({ jobs }: Picture): string {
  const cpu = jobs.reduce((sum, job) => sum + job.cpu, 0);
  const rss = jobs.reduce((sum, job) => sum + job.rss, 0);
  return jobs.length === 0 ? "none" : `${jobs.length}, ${percent(cpu)}, ${formatBytes(rss)}`;
}

const percent = (value: number): string => `${value.toFixed(1)} %`;

const lines = (text: string): string[] => text.trimEnd().split("\n");
