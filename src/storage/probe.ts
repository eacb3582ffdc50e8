import { tryProgram } from "./program.ts";

/** What is on a device, by the column lsblk shows it in. */
export type Contents = Readonly<Record<string, string>>;

/** Keys of blkid, and the columns they fill. */
const COLUMNS: Readonly<Record<string, string>> = {
  TYPE: "fstype",
  LABEL: "label",
  UUID: "uuid",
  PART_ENTRY_TYPE: "parttype",
  PART_ENTRY_NAME: "partlabel",
  PART_ENTRY_UUID: "partuuid",
  PART_ENTRY_FLAGS: "partflags",
};

/** A disk that does not answer holds up the listing for no longer. */
const LIMIT_MS = 10_000;
const AT_ONCE = 8;

/**
 * Reads what is on devices from the devices themselves. lsblk leaves that to udev, which a machine does
 * not have. A device that cannot be read counts as one with nothing on it.
 *
 * @returns Contents by path; devices without any are left out.
 */
export async function probeDevices(paths: readonly string[]): Promise<Map<string, Contents>> {
  const found = new Map<string, Contents>();
  const waiting = [...paths];
  const work = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      for (const [name, contents] of await probe(path)) found.set(name, contents);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

/** One at a time: given several devices blkid stops at the first one that has nothing on it. */
async function probe(path: string): Promise<Map<string, Contents>> {
  const { stdout } = await tryProgram("blkid", ["-p", "-o", "export", "--", path], LIMIT_MS);
  return parseProbe(stdout);
}

/** Reads blocks of `KEY=value` lines that begin with `DEVNAME=`; a backslash goes before special characters. */
export function parseProbe(text: string): Map<string, Contents> {
  const found = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at < 0) continue;
    const key = line.slice(0, at);
    const value = line.slice(at + 1).replaceAll(/\\(.)/g, "$1");
    const column = COLUMNS[key];
    if (key === "DEVNAME") {
      current = {};
      found.set(value, current);
    } else if (column !== undefined) {
      current[column] = value;
    }
  }
  return found;
}
