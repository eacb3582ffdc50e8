import { readText } from "../sys/proc/read-text.ts";
import type { ToolOutcome } from "../sys/proc/run-tool.ts";
import type { BlockDevice } from "./block-device.ts";
import { readPartitionTable } from "./partition-table.ts";
import { tryProgram } from "./program.ts";

const SECTOR_BYTES = 512;
const BLOCK_BYTES = 4096;
/** Status of blkid when it finds nothing. */
const NOTHING_FOUND = 2;

/**
 * Looks for anything that says a disk belongs to somebody. Three programs are asked, because each knows
 * kinds the others do not, and none finds the second table of a GPT whose first one was wiped. Only what
 * all of them could read and found empty is empty.
 *
 * @returns What speaks against it, or undefined when there is nothing.
 */
export async function findSignature(device: BlockDevice): Promise<string | undefined> {
  const { path } = device;
  const wipefs = await tryProgram("wipefs", [
    "--no-act",
    "--noheadings",
    "--output",
    "TYPE",
    "--",
    path,
  ]);
  if (wipefs.status !== 0) return cannot("wipefs", wipefs);
  if (wipefs.stdout.trim() !== "") return `wipefs sees ${words(wipefs.stdout)}`;
  const blkid = await tryProgram("blkid", ["-p", "--", path]);
  if (blkid.stdout.trim() !== "") return `blkid sees ${words(blkid.stdout)}`;
  if (blkid.status !== NOTHING_FOUND) return cannot("blkid", blkid);
  const table = await readPartitionTable(path).catch(() => undefined);
  if (table === undefined) return "its partition table cannot be read";
  if (table.kind !== "") return `parted sees a table of kind ${table.kind}`;
  const blocks = Math.floor(sizeOf(device) / BLOCK_BYTES);
  const place = [`bs=${BLOCK_BYTES}`, `skip=${Math.max(0, blocks - 1)}`];
  const end = await tryProgram("dd", [`if=${path}`, ...place]);
  if (end.status !== 0) return cannot("dd", end);
  return end.stdout.includes("EFI PART") ? "its end holds the second table of a GPT" : undefined;
}

/** Bytes of a device. */
export function sizeOf({ sysPath }: BlockDevice): number {
  return Number(readText(`${sysPath}/size`) ?? 0) * SECTOR_BYTES;
}

function cannot(name: string, { status, isMissing, stderr }: ToolOutcome): string {
  if (isMissing) return `${name} is not installed`;
  return `${name} fails with ${status ?? "a signal"}: ${words(stderr)}`;
}

const words = (text: string): string => text.trim().replaceAll(/\s+/g, " ").slice(0, 200);
