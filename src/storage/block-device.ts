import { lstatSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { AgentError, errorCode } from "../base/errors.ts";
import { readText } from "../sys/proc/read-text.ts";

/** A block device of the kernel. */
export interface BlockDevice {
  /** Below /dev, without links. */
  readonly path: string;
  /** `major:minor`, as mount tables show it. */
  readonly number: string;
  /** Name of the kernel, for example `sda1`. */
  readonly name: string;
  /** Its directory below /sys/devices. */
  readonly sysPath: string;
  /** Name of the disk a partition belongs to; undefined for everything else. */
  readonly disk: string | undefined;
}

/**
 * Finds the block device a caller named. Everything is looked up below /dev, and never beyond: a link
 * that leads elsewhere could point into a file system whose server does not answer.
 *
 * Synchronous: /dev and /sys are answered by the kernel alone.
 *
 * @param given A path below /dev, or a name, which is taken below /dev.
 * @throws AgentError `E_DEVICE` for everything else and for what is not a block device.
 */
export function findBlockDevice(given: unknown): BlockDevice {
  const wanted = "the name of a block device, as sda, or its path below /dev";
  if (typeof given !== "string" || !isPlain(given)) throw refused(given, "is no such name", wanted);
  const path = followLinks(given.startsWith("/") ? given : `/dev/${given}`, given);
  const stat = lstat(path, given);
  if (!stat.isBlockDevice()) throw refused(given, "is no block device", wanted);
  return describe(path, numberOf(stat.rdev), given);
}

/** As {@link findBlockDevice}, for names the kernel shows: undefined when it is not there. */
export function lookUpBlockDevice(path: string): BlockDevice | undefined {
  try {
    return findBlockDevice(path);
  } catch {
    return undefined;
  }
}

/**
 * As {@link findBlockDevice}, for a disk as a whole.
 *
 * @throws AgentError `E_DEVICE`, for a partition too.
 */
export function findDisk(given: unknown): BlockDevice {
  const device = findBlockDevice(given);
  if (device.disk === undefined) return device;
  throw refused(given, `is a partition of ${device.disk}`, "a whole disk");
}

/** Shows a text a caller gave, shortened and without anything a terminal would obey. */
export function shown(given: unknown): string {
  const text = JSON.stringify(given) ?? "nothing";
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 3)}...` : text;
}

const SHOWN_LENGTH = 100;
const LONGEST_PATH = 255;
const MOST_LINKS = 8;
const DEV = "/dev/";

/** No option, no way up, nothing a line or an argument ends at. */
function isPlain(given: string): boolean {
  if (given === "" || given.length > LONGEST_PATH || given.startsWith("-")) return false;
  if (given.startsWith("/") && !given.startsWith(DEV)) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(given)) return false;
  const parts = given.replace(/^\//, "").split("/");
  return parts.every((part) => part !== "" && part !== "." && part !== "..");
}

/** Part by part, because a directory on the way may be a link as well. */
function followLinks(path: string, given: string): string {
  let rest = path;
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const next = firstLink(rest, given);
    if (next === undefined) return rest;
    rest = next;
    if (!rest.startsWith(DEV)) throw refused(given, "leads out of /dev", "a path within it");
  }
  throw refused(given, `leads over more than ${MOST_LINKS} links`, "a block device");
}

/** The path with its first link replaced by its target; undefined when there is none. */
function firstLink(path: string, given: string): string | undefined {
  const parts = path.split("/").slice(1);
  for (let length = 2; length <= parts.length; length += 1) {
    const here = `/${parts.slice(0, length).join("/")}`;
    if (!lstat(here, given).isSymbolicLink()) continue;
    const target = readlinkSync(here);
    const from = target.startsWith("/") ? [] : parts.slice(0, length - 1);
    return normalize([...from, ...target.split("/"), ...parts.slice(length)]);
  }
  return undefined;
}

/** Takes `..` as part of the text: where links are followed one by one, that is what it means. */
function normalize(parts: readonly string[]): string {
  const path: string[] = [];
  for (const part of parts) {
    if (part === "..") path.pop();
    else if (part !== "" && part !== ".") path.push(part);
  }
  return `/${path.join("/")}`;
}

function lstat(path: string, given: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw refused(given, `is not there (${errorCode(error) ?? "unknown"})`, "a block device");
  }
}

/** Source: <sys/sysmacros.h>, gnu_dev_major and gnu_dev_minor; Linux uses 12 and 20 bits. */
function numberOf(rdev: number): string {
  const major = ((rdev >>> 8) & 0xfff) | Math.floor(rdev / 2 ** 32);
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}

function describe(path: string, number: string, given: string): BlockDevice {
  let sysPath: string;
  try {
    sysPath = realpathSync(`/sys/dev/block/${number}`);
  } catch (error) {
    throw refused(given, `is unknown to the kernel (${errorCode(error)})`, "a block device");
  }
  const [name = "", parent = ""] = sysPath.split("/").reverse();
  const isPartition = readText(`${sysPath}/partition`) !== undefined;
  return { path, number, name, sysPath, disk: isPartition ? parent : undefined };
}

function refused(given: unknown, seen: string, wanted: string): AgentError {
  return new AgentError(
    "E_DEVICE",
    `Cannot use device ${shown(given)}: ${seen}, expected ${wanted}`,
  );
}
