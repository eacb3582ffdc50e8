import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { ProcessTree } from "../sys/process-tree.ts";
import type { Journal, JournalContent, UnfinishedJob } from "./journal.ts";
import {
  formatLines,
  type JournalLine,
  journalLines,
  parseJournal,
  unfinishedLines,
} from "./journal-lines.ts";
import type { CommandObject, JobResult } from "./types.ts";

export interface JournalFileOptions {
  /** Meant to be on a memory file system: what is written must survive the agent, not the kernel. */
  readonly path: string;
  readonly clock: Clock;
  readonly processes: ProcessTree;
  readonly log: Logger;
  /** Size at which a new file is begun; the file before it is kept beside it as `<path>.old`. */
  readonly segmentBytes?: number;
}

/**
 * A journal of JSON lines in two files. When the current file is full it becomes the old one, whose
 * predecessor is dropped, and the new one begins with all jobs that have not ended. So results
 * of the last `segmentBytes` at least are kept, and twice that is never exceeded by more than what
 * the unfinished jobs need. No arguments are written: they may hold secrets.
 */
export class JournalFile implements Journal {
  readonly #options: JournalFileOptions;
  readonly #segmentBytes: number;
  /** Every job that has not ended, for the next file. */
  readonly #unfinished = new Map<string, UnfinishedJob>();
  #descriptor: number | undefined;
  #bytes = 0;
  #hasFailed = false;

  constructor(options: JournalFileOptions) {
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  }

  open(): JournalContent {
    const { path, clock, processes } = this.#options;
    const text = readOrEmpty(oldPath(path)) + readOrEmpty(path);
    const content = parseJournal(text, {
      bootId: processes.bootId(),
      sinceMs: clock.wallMs() - RETENTION_MS,
    });
    for (const job of content.unfinished) this.#unfinished.set(job.id, job);
    this.#attempt(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#begin(journalLines(content));
      rmSync(oldPath(path), { force: true });
    });
    return content;
  }

  accepted({ id, command, tags, stream }: CommandObject): void {
    const acceptedMs = this.#options.clock.wallMs();
    const job = { id, command, tags, stream, acceptedMs, process: null };
    this.#unfinished.set(id, job);
    this.#write(unfinishedLines(job));
  }

  started(id: string, pid: number): void {
    const job = this.#unfinished.get(id);
    const startTicks = this.#options.processes.startTicks(pid);
    if (job === undefined || startTicks === undefined) return;
    this.#unfinished.set(id, { ...job, process: { pid, startTicks } });
    this.#write([{ type: "started", id, pid, startTicks }]);
  }

  ended(result: JobResult): void {
    if (!this.#unfinished.delete(result.id)) return;
    const ms = this.#options.clock.wallMs();
    const kept = resultUnits(result) <= RESULT_UNITS ? result : null;
    this.#write([{ type: "ended", id: result.id, ms, result: kept }]);
  }

  #write(lines: readonly JournalLine[]): void {
    this.#attempt(() => {
      if (this.#descriptor === undefined) return;
      this.#bytes += writeSync(this.#descriptor, formatLines(lines));
      if (this.#bytes <= this.#segmentBytes) return;
      renameSync(this.#options.path, oldPath(this.#options.path));
      this.#begin([...this.#unfinished.values()].flatMap(unfinishedLines));
    });
  }

  /** The new file is complete before it takes its name: a crash in between loses nothing. */
  #begin(lines: readonly JournalLine[]): void {
    const { path, processes } = this.#options;
    const next = `${path}.new`;
    const descriptor = openSync(next, "w", 0o600);
    writeSync(descriptor, formatLines([{ type: "boot", id: processes.bootId() }, ...lines]));
    renameSync(next, path);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#bytes = 0;
  }

  /** Jobs run without a journal too: a full file system must not stop them. */
  #attempt(action: () => void): void {
    try {
      action();
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) {
        this.#options.log.warn("job journal cannot be written", { reason: errorText(error) });
      }
      this.#hasFailed = true;
    }
  }
}

const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Results are published for this long (wire protocol 5.4). */
const RETENTION_MS = 300_000;
/** Longer results are not kept. */
const RESULT_UNITS = 64 * 1024;

/** Cheap and close enough: every other member of a result is short. */
function resultUnits({ data, streams, critical }: JobResult): number {
  const [stdout = "", stderr = ""] = streams ?? [];
  return data.length + stdout.length + stderr.length + (critical?.length ?? 0);
}

function oldPath(path: string): string {
  return `${path}.old`;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
