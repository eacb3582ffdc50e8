import { readText } from "./read-text.ts";

/** One mounted file system, in the shape of `info.disk`. */
export interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly fstype: string;
  /** Comma separated. */
  readonly opts: string;
}

/** File systems on devices that are mounted in the agent's mount namespace. */
export function readDeviceMounts(): Mount[] {
  const types = parseDeviceTypes(readText("/proc/filesystems") ?? "");
  return parseMounts(readText("/proc/self/mounts") ?? "").filter(
    (mount) => types.has(mount.fstype) && mount.device !== "none",
  );
}

/**
 * Parses a mount table. Blank, tab, newline, backslash and `#` stand there as three octal digits.
 * Source: `getmntent(3)`; kernel, `fs/proc_namespace.c`.
 */
export function parseMounts(text: string): Mount[] {
  return text
    .split("\n")
    .map((line) => line.split(" ").map(unescapeField))
    .filter((fields) => fields.length >= 4)
    .map(([device = "", mountpoint = "", fstype = "", opts = ""]) => ({
      device,
      mountpoint,
      fstype,
      opts,
    }));
}

/** The types of `/proc/filesystems` that need a device: the lines without `nodev`. */
export function parseDeviceTypes(text: string): Set<string> {
  const types = new Set<string>();
  for (const line of text.split("\n")) {
    const [flag = "", type = ""] = line.split("\t");
    if (flag === "" && type !== "") types.add(type);
  }
  return types;
}

function unescapeField(field: string): string {
  if (!field.includes("\\")) return field;
  return field.replaceAll(/\\([0-7]{3})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
