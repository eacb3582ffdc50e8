import { AgentError } from "../base/errors.ts";
import { readText } from "../sys/proc/read-text.ts";
import { type BlockDevice, findBlockDevice, shown } from "./block-device.ts";
import { type DeviceRow, listDevices, pathOfRow } from "./lsblk.ts";
import { type FreeArea, type PartitionTable, readPartitionTable } from "./partition-table.ts";

/** Where a device lies, and what is free on it. */
export interface Geometry {
  /** Bytes from the begin of its disk. */
  readonly start: number;
  readonly end: number;
  readonly size: number;
  readonly blocksize: number;
  readonly table: string;
  readonly free: readonly FreeArea[] | null;
}

/** One element of `disk.list`: the columns of lsblk, `size` as a number, and the geometry. */
export type DiskInfo = Geometry & {
  readonly [column: string]: DeviceRow[string] | number | readonly FreeArea[];
};

const SECTOR_BYTES = 512;
const NO_TABLE: PartitionTable = { kind: "", blockSize: 0, free: [] };

/**
 * All disks with their partitions. A disk whose table cannot be read is listed without: one that has
 * failed must not hide the others.
 *
 * @throws CommandError when the listing itself fails.
 */
export async function listDisks(): Promise<DiskInfo[]> {
  const rows = await listDevices({ bytes: true });
  const disks: DiskInfo[] = [];
  // One after the other: a hundred disks are no reason for a hundred processes.
  for (const row of rows) disks.push({ ...row, ...(await listedGeometry(row)) });
  return disks;
}

/**
 * One disk, or one partition of it.
 *
 * @throws AgentError `E_DEVICE`; CommandError when a program fails.
 */
export async function readDiskInfo(disk: string, part: string): Promise<DiskInfo> {
  const whole = findBlockDevice(disk);
  const device = part === "" ? whole : partitionOf(whole, part);
  const [row] = await listDevices({ bytes: false, device: device.path });
  if (row === undefined) {
    throw new AgentError("E_DEVICE", `Cannot describe ${device.path}: lsblk does not list it`);
  }
  const isPartition = device.disk !== undefined;
  const size = sizeOf(device.sysPath);
  const table = isPartition || size === 0 ? NO_TABLE : await readPartitionTable(device.path);
  const start = sectors(`${device.sysPath}/start`);
  return { ...row, ...geometry({ start, size, blocksize: blockSize(device), table }) };
}

function partitionOf(disk: BlockDevice, part: string): BlockDevice {
  const device = findBlockDevice(part);
  if (device.disk === disk.name) return device;
  const seen = device.disk === undefined ? "no partition" : `a partition of ${device.disk}`;
  throw new AgentError(
    "E_DEVICE",
    `Cannot use partition ${shown(part)}: ${seen} seen, expected one of ${disk.name}`,
  );
}

/** Only disks and partitions have one here; the wire protocol leaves it empty for everything else. */
async function listedGeometry(row: DeviceRow): Promise<Geometry> {
  const size = Number(row["size"]);
  const blocksize = Number(row["log-sec"]);
  if (row["type"] === "part") {
    const start = sectors(`/sys/class/block/${row["kname"]}/start`);
    return geometry({ start, size, blocksize, table: NO_TABLE });
  }
  if (row["type"] !== "disk") {
    return { start: 0, end: 0, size: 0, blocksize, table: "", free: null };
  }
  const table =
    size === 0 ? NO_TABLE : await readPartitionTable(pathOfRow(row)).catch(() => NO_TABLE);
  return geometry({ start: 0, size, blocksize, table });
}

function geometry(found: {
  start: number;
  size: number;
  blocksize: number;
  table: PartitionTable;
}): Geometry {
  const { start, size, blocksize, table } = found;
  const end = Math.max(start, start + size - 1);
  return { start, end, size, blocksize, table: table.kind, free: table.free };
}

function blockSize({ sysPath, disk }: BlockDevice): number {
  const queue = disk === undefined ? sysPath : sysPath.slice(0, sysPath.lastIndexOf("/"));
  return Number(readText(`${queue}/queue/logical_block_size`) ?? SECTOR_BYTES);
}

const sizeOf = (sysPath: string): number => sectors(`${sysPath}/size`);

/** The kernel counts in 512 bytes, whatever the blocks of the disk are. */
const sectors = (file: string): number => Number(readText(file) ?? 0) * SECTOR_BYTES;
