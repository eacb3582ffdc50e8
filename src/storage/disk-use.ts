import { readlinkSync } from "node:fs";
import { AgentError } from "../base/errors.ts";
import { readNames, readText } from "../sys/proc/read-text.ts";
import { type BlockDevice, lookUpBlockDevice } from "./block-device.ts";

/** One way in which a device is in use. */
export interface DeviceUse {
  /** Name of the kernel: the device asked about, one of its partitions, or its disk. */
  readonly name: string;
  /** Completes "sda1 ": for example `is mounted on /data`. */
  readonly how: string;
}

/**
 * Checks that nothing would be damaged by writing to a device: neither it nor, for a disk, any of its
 * partitions nor, for a partition, its disk is in use or protected.
 *
 * Synchronous reads of /proc and /sys, so that nothing comes between this and the start of a program.
 *
 * @throws AgentError `E_DISK_BUSY`, `E_DISK_PROTECTED`.
 */
export function requireUnused(device: BlockDevice, purpose: string): void {
  requireUnprotected(device, purpose);
  const [first, ...more] = findUses(device);
  if (first === undefined) return;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  const seen = `${first.name} ${first.how}${others}`;
  throw new AgentError(
    "E_DISK_BUSY",
    `Cannot ${purpose} ${device.path}: ${seen}, expected a disk that is not in use`,
  );
}

/** @throws AgentError `E_DISK_PROTECTED` when the device or its disk is read-only. */
export function requireUnprotected(device: BlockDevice, purpose: string): void {
  const found = family(device).find(({ sysPath }) => readText(`${sysPath}/ro`)?.trim() === "1");
  if (found === undefined) return;
  throw new AgentError(
    "E_DISK_PROTECTED",
    `Cannot ${purpose} ${device.path}: ${found.name} is protected (read-only), expected a writable disk`,
  );
}

/** Every use that speaks against writing to a device. */
export function findUses(device: BlockDevice): DeviceUse[] {
  const members = family(device);
  const byName = new Map(members.map((member) => [member.name, member]));
  const byNumber = new Map(members.map((member) => [member.number, member]));
  const ofPath = (path: string): Member | undefined => {
    const other = path.startsWith("/dev/") ? lookUpBlockDevice(path) : undefined;
    return other === undefined ? undefined : byNumber.get(other.number);
  };
  const uses: DeviceUse[] = [];
  const add = (member: Member | undefined, how: string): void => {
    if (member !== undefined) uses.push({ name: member.name, how });
  };
  for (const { number, mountpoint } of allMounts()) {
    add(byNumber.get(number), `is mounted on ${mountpoint}`);
  }
  for (const uuid of readNames(BTRFS)) {
    for (const name of readNames(`${BTRFS}/${uuid}/devices`)) {
      add(byName.get(name), `belongs to the mounted btrfs ${uuid}`);
    }
  }
  for (const member of members) {
    for (const holder of readNames(`${member.sysPath}/holders`)) {
      add(member, `is used by ${holder}`);
    }
  }
  for (const path of swapDevices()) add(ofPath(path), "is used as swap");
  for (const { name, backing } of loopBackings()) add(ofPath(backing), `is behind ${name}`);
  return uses;
}

type Member = Pick<BlockDevice, "name" | "number" | "sysPath">;

const BTRFS = "/sys/fs/btrfs";

/** The device with its partitions, or with its disk. */
function family(device: BlockDevice): Member[] {
  if (device.disk !== undefined) {
    const sysPath = device.sysPath.slice(0, device.sysPath.lastIndexOf("/"));
    return [device, member(device.disk, sysPath)];
  }
  const partitions = readNames(device.sysPath)
    .map((name) => ({ name, sysPath: `${device.sysPath}/${name}` }))
    .filter(({ sysPath }) => readText(`${sysPath}/partition`) !== undefined);
  return [device, ...partitions.map(({ name, sysPath }) => member(name, sysPath))];
}

function member(name: string, sysPath: string): Member {
  return { name, sysPath, number: readText(`${sysPath}/dev`)?.trim() ?? "" };
}

/**
 * Mounts of all processes: a disk may be mounted where the agent does not see it, in a container. One
 * process of each mount namespace is asked.
 */
function allMounts(): { number: string; mountpoint: string }[] {
  const seen = new Set<string>();
  const mounts: { number: string; mountpoint: string }[] = [];
  for (const pid of ["self", ...readNames("/proc").filter((name) => /^\d+$/.test(name))]) {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (namespace === undefined || seen.has(namespace)) continue;
    const text = readText(`/proc/${pid}/mountinfo`);
    if (text === undefined) continue;
    seen.add(namespace);
    for (const line of text.split("\n")) {
      const [, , number = "", , mountpoint = ""] = line.split(" ");
      if (number !== "") mounts.push({ number, mountpoint });
    }
  }
  return mounts;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // The process has ended.
    return undefined;
  }
}

/** Source: swapon(8); the first line holds titles. */
function swapDevices(): string[] {
  const lines = (readText("/proc/swaps") ?? "").split("\n").slice(1);
  return lines.map((line) => line.split(/\s/)[0] ?? "").filter((path) => path !== "");
}

function loopBackings(): { name: string; backing: string }[] {
  return readNames("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .map((name) => ({ name, backing: readText(`/sys/block/${name}/loop/backing_file`) ?? "" }))
    .map(({ name, backing }) => ({ name, backing: backing.replace(/\n$/, "") }))
    .filter(({ backing }) => backing !== "");
}
