import { mkdir } from "node:fs/promises";
import { AgentError, errorText } from "../base/errors.ts";
import type { CacheConfig } from "../config/node-config-cache.ts";
import { linuxFiles } from "../sys/files-linux.ts";
import { readMounts } from "../sys/mounts.ts";
import { type BlockDevice, findDisk } from "./block-device.ts";
import { requireUnused } from "./disk-use.ts";
import { type DeviceRow, listDevices, pathOfRow } from "./lsblk.ts";
import { runProgram, tryProgram } from "./program.ts";
import { findSignature, sizeOf } from "./signatures.ts";

/** Label of the cache; machines of the old system have disks that carry it. */
export const CACHE_LABEL = "sp_zos-cache";
export const CACHE_MOUNTPOINT = "/var/cache";

/** Smaller disks are not worth a cache. */
const LEAST_BYTES = 1024 ** 3;
/** Discarding the blocks of a large disk takes a while. */
const CREATE_LIMIT_MS = 10 * 60_000;

/**
 * Mounts the cache disk. One that has the label is always used; a disk without anything on it is made one
 * only where configuration asks for it.
 *
 * @returns One line about what was done, or why nothing was.
 * @throws AgentError `E_CACHE_DISK` when the disk that is there, or may be prepared, cannot be used;
 *   CommandError when a program fails.
 */
export async function prepareCacheDisk({
  config,
  mountpoint = CACHE_MOUNTPOINT,
}: {
  readonly config: CacheConfig;
  readonly mountpoint?: string;
}): Promise<string> {
  const mounted = readMounts(linuxFiles).find((mount) => mount.mountpoint === mountpoint);
  if (mounted !== undefined) return `${mounted.source} is mounted on ${mountpoint} already`;
  const rows = await listDevices({ bytes: true });
  const known = findCache(rows, config.device);
  if (known !== undefined) {
    await mountCache(known, mountpoint);
    return `${known} has the label ${CACHE_LABEL}, mounted on ${mountpoint}`;
  }
  if (!config.prepare) return `no disk has the label ${CACHE_LABEL}, and none may be prepared`;
  const device =
    config.device === "" ? await chooseDisk(rows) : await configuredDisk(config.device);
  if (device === undefined) return "no disk is empty";
  // Without force: the program looks for itself once more.
  await runProgram("mkfs.btrfs", ["-q", "-L", CACHE_LABEL, "--", device.path], {
    timeoutMs: CREATE_LIMIT_MS,
  });
  await mountCache(device.path, mountpoint);
  return `${device.path} was empty, prepared and mounted on ${mountpoint}`;
}

/** Path of the device with the label: the configured one before others. */
function findCache(rows: readonly DeviceRow[], preferred: string): string | undefined {
  const all = rows.flatMap((row) => [row, ...(row.children ?? [])]);
  const paths = all
    .filter((row) => row["fstype"] === "btrfs" && row["label"] === CACHE_LABEL)
    .map(pathOfRow);
  return paths.find((path) => path === preferred) ?? paths[0];
}

/**
 * Disks that may be prepared, the largest first.
 *
 * @param rows As listed, in bytes. Left out is what can be taken out of the machine, cannot be written
 *   to, is too small, or has partitions or contents as far as the listing knows.
 */
export function cacheCandidates(rows: readonly DeviceRow[]): string[] {
  return rows
    .filter((row) => row["type"] === "disk" && row["ro"] === "0" && row["rm"] === "0")
    .filter((row) => row["tran"] !== "usb" && !/^(zram|ram|nbd|fd)/.test(String(row["kname"])))
    .filter((row) => row.children === undefined && row["mountpoint"] === null)
    .filter((row) => row["fstype"] === null && Number(row["size"]) >= LEAST_BYTES)
    .toSorted((a, b) => Number(b["size"]) - Number(a["size"]))
    .map(pathOfRow);
}

async function chooseDisk(rows: readonly DeviceRow[]): Promise<BlockDevice | undefined> {
  for (const path of cacheCandidates(rows)) {
    const device = findDisk(path);
    if ((await whyNot(device)) === undefined) return device;
  }
  return undefined;
}

async function configuredDisk(path: string): Promise<BlockDevice> {
  const device = findDisk(path);
  const reason = sizeOf(device) < LEAST_BYTES ? "it is smaller than 1 GiB" : await whyNot(device);
  if (reason === undefined) return device;
  throw new AgentError(
    "E_CACHE_DISK",
    `Cannot prepare ${path} as cache: ${reason}, expected a disk with nothing on it`,
  );
}

async function whyNot(device: BlockDevice): Promise<string | undefined> {
  const signature = await findSignature(device);
  if (signature !== undefined) return signature;
  try {
    // Last, so that nothing comes between it and the program that writes.
    requireUnused(device, "prepare");
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function mountCache(path: string, mountpoint: string): Promise<void> {
  await mkdir(mountpoint, { recursive: true });
  // The kernel must know the other members of a file system of several disks.
  await tryProgram("modprobe", ["-q", "btrfs"]);
  await tryProgram("btrfs", ["device", "scan"]);
  const options = "noatime,nosuid,nodev";
  await runProgram("mount", ["-t", "btrfs", "-o", options, "--", path, mountpoint]);
}
