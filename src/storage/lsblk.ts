import { AgentError } from "../base/errors.ts";
import { type Contents, probeDevices } from "./probe.ts";
import { runProgram } from "./program.ts";

/** Columns that may be null; all others are empty where the kernel says nothing. */
const NULLABLE = [
  "fstype",
  "mountpoint",
  "label",
  "uuid",
  "parttype",
  "partlabel",
  "partuuid",
  "partflags",
  "state",
  "sched",
  "wwn",
  "pkname",
  "hctl",
  "rev",
  "vendor",
] as const;

/** Columns in the order of the wire protocol, `size` left out. */
const COLUMNS = [
  ...["name", "kname", "maj:min", "fstype", "mountpoint", "label", "uuid", "parttype"],
  ...["partlabel", "partuuid", "partflags", "ra", "ro", "rm", "hotplug", "model", "serial"],
  ...["state", "owner", "group", "mode", "alignment", "min-io", "opt-io", "phy-sec", "log-sec"],
  ...["rota", "sched", "rq-size", "type", "disc-aln", "disc-gran", "disc-max", "disc-zero"],
  ...["wsame", "wwn", "rand", "pkname", "hctl", "tran", "subsystems", "rev", "vendor"],
];

/** One device as lsblk shows it: every column a text, as its older releases printed them. */
export interface DeviceRow {
  readonly [column: string]: string | null | readonly DeviceRow[] | undefined;
  readonly children?: readonly DeviceRow[];
}

interface ListOptions {
  /** True: sizes in bytes; otherwise for people, for example `500M`. */
  readonly bytes: boolean;
  /** Path of the only device wanted. */
  readonly device?: string;
}

/** Memory disks and floppy drives: majors the listing leaves out. */
const EXCLUDED = "1,2";
/** Some of the devices could not be read (lsblk(8)). */
const SOME_OK = 64;

/** Lists block devices with what is on them, partitions below their disks. */
export async function listDevices({ bytes, device }: ListOptions): Promise<DeviceRow[]> {
  const columns = [...COLUMNS, "size"].join(",").toUpperCase();
  const { stdout } = await runProgram(
    "lsblk",
    [
      ...["--json", "--output", columns],
      ...(bytes ? ["--bytes"] : []),
      ...(device === undefined ? ["--exclude", EXCLUDED] : ["--", device]),
    ],
    { accepts: (status) => status === SOME_OK && device === undefined },
  );
  const rows = parseDevices(stdout);
  return addContents(rows, await probeDevices(rows.flatMap(pathsOf)));
}

/** Path of the device a row is about. In names of the kernel a slash is an exclamation mark. */
export function pathOfRow(row: DeviceRow): string {
  return `/dev/${String(row["kname"]).replaceAll("!", "/")}`;
}

function pathsOf(row: DeviceRow): string[] {
  return [pathOfRow(row), ...(row.children ?? []).flatMap(pathsOf)];
}

/** Fills in what lsblk does not know. */
function addContents(
  rows: readonly DeviceRow[],
  contents: ReadonlyMap<string, Contents>,
): DeviceRow[] {
  return rows.map((row) => {
    const found = contents.get(pathOfRow(row)) ?? {};
    const missing = Object.entries(found).filter(([column]) => (row[column] ?? "") === "");
    const filled = { ...row, ...Object.fromEntries(missing) };
    if (row.children === undefined) return filled;
    return { ...filled, children: addContents(row.children, contents) };
  });
}

/**
 * Reads the JSON of lsblk. Its releases differ in which columns are texts, numbers or booleans.
 *
 * @throws AgentError `E_LSBLK`.
 */
export function parseDevices(json: string): DeviceRow[] {
  if (json.trim() === "") return [];
  let devices: unknown;
  try {
    devices = (JSON.parse(json) as { blockdevices?: unknown }).blockdevices;
  } catch (error) {
    throw new AgentError("E_LSBLK", "Cannot read the list of devices: no JSON seen from lsblk", {
      cause: error,
    });
  }
  return toRows(devices);
}

function toRows(devices: unknown): DeviceRow[] {
  if (!Array.isArray(devices)) return [];
  return devices.map((device: Readonly<Record<string, unknown>>) => {
    const columns = [...COLUMNS, "size"].map((name) => [name, textOf(name, device[name])]);
    const children = toRows(device["children"]);
    const row = Object.fromEntries(columns) as Record<string, string | null>;
    return children.length === 0 ? row : { ...row, children };
  });
}

function textOf(column: string, value: unknown): string | null {
  if (value === null || value === undefined) {
    return (NULLABLE as readonly string[]).includes(column) ? null : "";
  }
  if (typeof value === "boolean") return value ? "1" : "0";
  return String(value).trim();
}
