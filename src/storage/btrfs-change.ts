import { AgentError } from "../base/errors.ts";
import { findBlockDevice, shown } from "./block-device.ts";
import { requireAbsolute } from "./btrfs-paths.ts";
import { requireUnused } from "./disk-use.ts";
import { runProgram, tryProgram } from "./program.ts";

const PROFILES = ["raid0", "raid1", "raid5", "raid6", "raid10", "dup", "single"];
/** One byte less than the field of the superblock. */
const LONGEST_LABEL = 255;
/** Making a file system discards the blocks of its devices first; some take long for that. */
const CREATE_LIMIT_MS = 10 * 60_000;
/** All data of a device moves to the others. */
const MOVE_LIMIT_MS = 24 * 3600_000;

/** Creates a file system. @throws AgentError | CommandError */
export async function createFilesystem(given: {
  readonly label: string;
  readonly metadata: string;
  readonly data: string;
  readonly devices: readonly string[];
  readonly overwrite: boolean;
}): Promise<void> {
  const { label, metadata, data, overwrite } = given;
  const words = [
    ...(overwrite ? ["-f"] : []),
    ...(label === "" ? [] : ["-L", requireLabel(label)]),
    ...(metadata === "" ? [] : ["-m", requireProfile("metadata", metadata)]),
    ...(data === "" ? [] : ["-d", requireProfile("data", data)]),
  ];
  if (given.devices.length === 0) {
    throw new AgentError(
      "E_ARGUMENT",
      "Cannot create a btrfs: no devices seen, expected one or more",
    );
  }
  // The kernel learns of several devices from the program, but only once it knows btrfs.
  if (given.devices.length > 1) await tryProgram("modprobe", ["-q", "btrfs"]);
  const paths = unusedDevices(given.devices, "create a btrfs on");
  await runProgram("mkfs.btrfs", [...words, "--", ...paths], { timeoutMs: CREATE_LIMIT_MS });
}

/** Adds devices, whatever is on them. Nothing is discarded: that could take hours. */
export async function addDevices(mountpoint: string, devices: readonly string[]): Promise<void> {
  const path = requireAbsolute("mountpoint", mountpoint);
  const paths = unusedDevices(devices, "add to a btrfs");
  await runProgram("btrfs", ["device", "add", "-f", "-K", "--", ...paths, path]);
}

/** Removes devices; resolves when their data is on the others. */
export async function removeDevices(mountpoint: string, devices: readonly string[]): Promise<void> {
  const path = requireAbsolute("mountpoint", mountpoint);
  const paths = devices.map((device) =>
    // A device that is gone has no path: btrfs knows it by this word, or by its number.
    /^(missing|\d{1,9})$/.test(device) ? device : findBlockDevice(device).path,
  );
  await runProgram("btrfs", ["device", "remove", "--", ...paths, path], {
    timeoutMs: MOVE_LIMIT_MS,
  });
}

export async function createSubvolume(path: string): Promise<void> {
  await runProgram("btrfs", ["subvolume", "create", "--", requireAbsolute("path", path)]);
}

export async function deleteSubvolume(path: string): Promise<void> {
  await runProgram("btrfs", ["subvolume", "delete", "--", requireAbsolute("path", path)]);
}

/** Limits a subvolume. @param limit As `100M`, or `none`. */
export async function limitSubvolume(given: string, limit: string): Promise<void> {
  const path = requireAbsolute("path", given);
  if (!/^(none|\d{1,19}(\.\d{1,9})?[kmgtpe]?(i?b)?)$/i.test(limit)) {
    const seen = shown(limit);
    throw new AgentError("E_ARGUMENT", `Cannot use limit: ${seen} seen, expected 100M, 2G or none`);
  }
  await runProgram("btrfs", ["quota", "enable", path]);
  await runProgram("btrfs", ["qgroup", "limit", "--", limit, path]);
}

export async function takeSnapshot(given: {
  readonly source: string;
  readonly destination: string;
  readonly read_only: boolean;
}): Promise<void> {
  const source = requireAbsolute("source", given.source);
  const destination = requireAbsolute("destination", given.destination);
  const words = given.read_only ? ["-r"] : [];
  await runProgram("btrfs", ["subvolume", "snapshot", ...words, "--", source, destination]);
}

function unusedDevices(names: readonly string[], purpose: string): string[] {
  const devices = names.map(findBlockDevice);
  for (const device of devices) requireUnused(device, purpose);
  return devices.map(({ path }) => path);
}

function requireLabel(label: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (Buffer.byteLength(label) <= LONGEST_LABEL && !/[\x00-\x1f\x7f/\\]/.test(label)) return label;
  throw new AgentError(
    "E_ARGUMENT",
    `Cannot use label: ${shown(label)} seen, expected up to ${LONGEST_LABEL} bytes without slashes`,
  );
}

function requireProfile(name: string, profile: string): string {
  if (PROFILES.includes(profile)) return profile;
  throw new AgentError(
    "E_ARGUMENT",
    `Cannot use ${name}: ${shown(profile)} seen, expected one of ${PROFILES.join(", ")} or nothing`,
  );
}
