import type { FinishedJob, JournalContent, UnfinishedJob } from "./journal.ts";
import type { JobResult } from "./types.ts";

/** One line of the journal file. `ms` is milliseconds since the epoch. */
export type JournalLine =
  /** First line of a file: which run of the kernel the pids below belong to. */
  | { readonly type: "boot"; readonly id: string }
  | {
      readonly type: "accepted";
      readonly id: string;
      readonly command: string;
      readonly tags: readonly string[] | null;
      /** Absent: false. */
      readonly stream?: true;
      readonly ms: number;
    }
  | {
      readonly type: "started";
      readonly id: string;
      readonly pid: number;
      readonly startTicks: number;
    }
  /** @param result Null when it was too long to keep. */
  | {
      readonly type: "ended";
      readonly id: string;
      readonly ms: number;
      readonly result: JobResult | null;
    };

/**
 * Reads the lines of a journal, oldest first. A line that was cut by a crash is passed over.
 *
 * @param options.sinceMs Older results are left out.
 */
export function parseJournal(
  text: string,
  options: { bootId: string; sinceMs: number },
): JournalContent {
  const unfinished = new Map<string, UnfinishedJob>();
  const finished = new Map<string, FinishedJob>();
  let isSameBoot = true;
  for (const row of text.split("\n")) {
    const line = parseLine(row);
    if (line === undefined) continue;
    switch (line.type) {
      case "boot":
        isSameBoot = line.id === options.bootId;
        break;
      case "accepted": {
        const { id, command, tags, ms } = line;
        const stream = line.stream === true;
        unfinished.set(id, { id, command, tags, stream, acceptedMs: ms, process: null });
        finished.delete(id);
        break;
      }
      case "started": {
        const job = unfinished.get(line.id);
        const { pid, startTicks } = line;
        if (job !== undefined) unfinished.set(line.id, { ...job, process: { pid, startTicks } });
        break;
      }
      case "ended":
        unfinished.delete(line.id);
        if (line.result !== null && line.ms >= options.sinceMs) {
          finished.set(line.id, { result: line.result, endedMs: line.ms });
        }
        break;
    }
  }
  return { unfinished: [...unfinished.values()], finished: [...finished.values()], isSameBoot };
}

/** Lines that say the same as the whole journal did. */
export function journalLines(content: JournalContent): JournalLine[] {
  return [
    ...content.finished.map(
      ({ result, endedMs }): JournalLine => ({
        type: "ended",
        id: result.id,
        ms: endedMs,
        result,
      }),
    ),
    ...content.unfinished.flatMap(unfinishedLines),
  ];
}

export function unfinishedLines(job: UnfinishedJob): JournalLine[] {
  const { id, command, tags, stream, acceptedMs, process } = job;
  const accepted: JournalLine = {
    type: "accepted",
    id,
    command,
    tags,
    ...(stream ? { stream } : {}),
    ms: acceptedMs,
  };
  return process === null ? [accepted] : [accepted, { type: "started", id, ...process }];
}

export function formatLines(lines: readonly JournalLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function parseLine(row: string): JournalLine | undefined {
  if (row === "") return undefined;
  try {
    return JSON.parse(row) as JournalLine;
  } catch {
    return undefined;
  }
}
