import { CommandError } from "../command/command.ts";
import { codeOf, tryProgram } from "./program.ts";

/** Bytes of a disk that no partition uses; `end` belongs to it. */
export interface FreeArea {
  readonly start: number;
  readonly end: number;
  readonly size: number;
}

export interface PartitionTable {
  /** `gpt`, `msdos`…; empty when there is none. */
  readonly kind: string;
  readonly blockSize: number;
  readonly free: readonly FreeArea[];
}

const NO_TABLE: PartitionTable = { kind: "", blockSize: 0, free: [] };

/**
 * Reads the partition table of a disk. A disk without one is not an error.
 *
 * @throws CommandError as the wire protocol has it (5.2) when nothing can be said about the disk.
 */
export async function readPartitionTable(path: string): Promise<PartitionTable> {
  const args = ["-m", "-s", "--", path, "unit", "B", "print", "free"];
  const { status, isMissing, stdout, stderr } = await tryProgram("parted", args);
  const table = parsePartitionTable(stdout);
  // A disk without table makes it fail after it has described the disk.
  if (table !== undefined) return table;
  if (status === 0) return NO_TABLE;
  if (/unrecognised disk label/.test(stderr)) return NO_TABLE;
  throw new CommandError(codeOf(status, isMissing), `(ERROR): [${stdout} ${stderr}]`);
}

/**
 * Reads the machine form of `parted print free` in bytes: fields end with a colon, records with a
 * semicolon. The second record is the disk, all others are partitions and free areas.
 *
 * @returns Undefined when no disk is described.
 */
export function parsePartitionTable(text: string): PartitionTable | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const start = lines.indexOf("BYT;");
  const disk = start < 0 ? undefined : lines[start + 1];
  if (disk === undefined || disk === "") return undefined;
  // The path may hold colons: the fields are counted from the end.
  const fields = disk.replace(/;$/, "").split(":");
  const [blockSize = "0", , kind = ""] = fields.slice(-5);
  const free = lines.slice(start + 2).flatMap(freeArea);
  return { kind: kind === "unknown" ? "" : kind, blockSize: Number(blockSize), free };
}

/** A record such as `1:17408B:1048575B:1031168B:free;`. */
function freeArea(line: string): FreeArea[] {
  const [, start, end, size] = /^\d+:(\d+)B:(\d+)B:(\d+)B:free;$/.exec(line) ?? [];
  if (start === undefined) return [];
  return [{ start: Number(start), end: Number(end), size: Number(size) }];
}
