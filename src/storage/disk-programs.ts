import { AgentError, errorText } from "../base/errors.ts";
import type { ProcessSpec } from "../command/command.ts";
import { parseMountInfo } from "../sys/mounts.ts";
import { readText } from "../sys/proc/read-text.ts";
import {
  type BlockDevice,
  findBlockDevice,
  findDisk,
  lookUpBlockDevice,
  shown,
} from "./block-device.ts";
import { findUses, requireUnprotected, requireUnused } from "./disk-use.ts";

/** Arguments as a caller gave them, unchecked. */
type Given = Readonly<Record<string, unknown>>;

/** Kinds parted can write. */
const TABLE_KINDS = [
  ...["aix", "amiga", "atari", "bsd", "dvh", "gpt", "loop", "mac", "msdos", "pc98", "sun"],
];
const PARTITION_KINDS = ["primary", "logical", "extended"];

/** Writes an empty partition table. */
export function buildMakeTable(given: Given): ProcessSpec {
  return checked(() => {
    const kind = oneOf("table_type", given["table_type"], TABLE_KINDS);
    const disk = findDisk(given["disk"]);
    requireUnused(disk, "write a partition table to");
    return parted(disk, ["mktable", kind]);
  });
}

/** Creates a partition. */
export function buildMakePartition(given: Given): ProcessSpec {
  return checked(() => {
    const kind = oneOf("part_type", given["part_type"], PARTITION_KINDS);
    const [start, end] = [place("start", given["start"]), place("end", given["end"])];
    const disk = findDisk(given["disk"]);
    requireUnused(disk, "create a partition on");
    return parted(disk, ["mkpart", kind, start, end]);
  });
}

/** Deletes a partition. */
export function buildRemovePartition(given: Given): ProcessSpec {
  return checked(() => {
    const { number } = given;
    if (
      typeof number !== "number" ||
      !Number.isInteger(number) ||
      number < 1 ||
      number > MOST_PARTS
    ) {
      throw wrong("number", number, `an integer from 1 to ${MOST_PARTS}`);
    }
    const disk = findDisk(given["disk"]);
    requireUnused(disk, "delete a partition of");
    return parted(disk, ["rm", String(number)]);
  });
}

/**
 * Mounts a device. The small `mount` of a machine only tries what the kernel has loaded, so the kind of
 * file system is looked up first; a btrfs of several disks is found only after a scan.
 */
export function buildMount(given: Given): ProcessSpec {
  return checked(() => {
    const { options = "" } = given;
    if (typeof options !== "string" || !isLine(options) || options.length > LONGEST_OPTIONS) {
      throw wrong("options", options, "mount options with commas between them, on one line");
    }
    const target = absolutePath("target", given["target"]);
    const source = findBlockDevice(given["source"]);
    requireMountable(source, options);
    const words = options === "" ? [] : ["-o", options];
    return script(MOUNT, "mount", [source.path, target, ...words]);
  });
}

/** Unmounts a disk, named by its device or by where it is mounted. */
export function buildUnmount(given: Given): ProcessSpec {
  return checked(() => {
    const { source } = given;
    if (typeof source !== "string" || !source.startsWith("/") || !isLine(source)) {
      throw wrong("source", source, "the path of a device or of a directory a disk is mounted on");
    }
    return { ...program("umount", ["--", mountedOn(source)]) };
  });
}

const MOST_PARTS = 4096;
/** One page, what the kernel takes. */
const LONGEST_OPTIONS = 4095;

const MOUNT = `
type=$(blkid -p -s TYPE -o value -- "$1" 2>/dev/null)
if [ "$type" = btrfs ]; then modprobe -q btrfs; btrfs device scan; fi >/dev/null 2>&1
device=$1 target=$2
shift 2
exec mount \${type:+-t "$type"} "$@" -- "$device" "$target"`;

const REFUSE = `printf '%s\\n' "$1" >&2; exit 1`;

/**
 * A refusal looks like the failure of the program: its text on standard error, status 1. Clients quote
 * that when such a command fails.
 */
function checked(build: () => ProcessSpec): ProcessSpec {
  try {
    return build();
  } catch (error) {
    return script(REFUSE, "refuse", [errorText(error)]);
  }
}

function parted(disk: BlockDevice, words: readonly string[]): ProcessSpec {
  return program("parted", ["-s", "--", disk.path, ...words]);
}

/** Runs a fixed script; what a caller gave are its arguments, never part of its text. */
function script(text: string, name: string, args: readonly string[]): ProcessSpec {
  return program("sh", ["-c", text, name, ...args]);
}

function program(name: string, args: readonly string[]): ProcessSpec {
  return { name, args, dir: "", env: {}, stdin: "", showPid: false };
}

function oneOf(name: string, value: unknown, allowed: readonly string[]): string {
  if (typeof value === "string" && allowed.includes(value)) return value;
  throw wrong(name, value, `one of ${allowed.join(", ")}`);
}

const PLACE =
  /^-?\d{1,19}(\.\d{1,9})?(s|B|kB|MB|GB|TB|PB|KiB|MiB|GiB|TiB|PiB|%|cyl|chs|compact)?$/i;

/**
 * A place on a disk. Numbers are written with all their digits: parted does not know the exponent the
 * old system wrote from a million upwards.
 */
function place(name: string, value: unknown): string {
  const isNumber = typeof value === "number" && Number.isFinite(value);
  const text = isNumber && Math.abs(value) < 1e15 ? formatPlain(value) : value;
  if (typeof text === "string" && PLACE.test(text)) return text;
  throw wrong(name, value, "a number, or a text as 1MiB, 2048s, 500GB or 100%");
}

/** Without exponent, which texts of numbers below 0.000001 have. */
const formatPlain = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toFixed(6)));

function absolutePath(name: string, value: unknown): string {
  if (typeof value === "string" && value.startsWith("/") && isLine(value)) return value;
  throw wrong(name, value, "an absolute path");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const isLine = (text: string): boolean => !/[\x00\n\r]/.test(text);

/** A file system may be mounted twice; what another owner writes to may not. */
function requireMountable(source: BlockDevice, options: string): void {
  if (!options.split(",").includes("ro")) requireUnprotected(source, "mount for writing");
  const taken = findUses(source).find(
    ({ name, how }) => name === source.name && !/^(is mounted|belongs to)/.test(how),
  );
  if (taken === undefined) return;
  throw new AgentError(
    "E_DISK_BUSY",
    `Cannot mount ${source.path}: it ${taken.how}, expected a device nobody else writes to`,
  );
}

/** Where a disk is mounted; the newest mount of a device. Nothing else is unmounted here. */
function mountedOn(source: string): string {
  const mounts = parseMountInfo(readText("/proc/self/mountinfo") ?? "").filter(
    ({ mountpoint, source: device }) =>
      mountpoint !== "/" && device.startsWith("/dev/") && lookUpBlockDevice(device) !== undefined,
  );
  const wanted = source.length > 1 ? source.replace(/\/+$/, "") : source;
  if (mounts.some(({ mountpoint }) => mountpoint === wanted)) return wanted;
  const device = lookUpBlockDevice(source);
  const of = mounts.filter(({ source: other }) => lookUpBlockDevice(other)?.path === device?.path);
  const newest = device === undefined ? undefined : of.at(-1);
  if (newest !== undefined) return newest.mountpoint;
  throw new AgentError(
    "E_NOT_MOUNTED",
    `Cannot unmount ${shown(source)}: no mounted disk seen there, expected its device or directory`,
  );
}

function wrong(name: string, value: unknown, wanted: string): AgentError {
  return new AgentError(
    "E_ARGUMENT",
    `Cannot use ${name}: ${shown(value)} seen, expected ${wanted}`,
  );
}
