/** A device of a file system, in the shape of `btrfs.list`. */
export interface BtrfsDevice {
  /** Absent when the device is there. */
  readonly missing?: true;
  readonly dev_id: number;
  readonly size: number;
  readonly used: number;
  readonly path: string;
}

/** One element of `btrfs.list`. */
export interface BtrfsFilesystem {
  /** `none` when there is none. */
  readonly label: string;
  readonly uuid: string;
  readonly total_devices: number;
  readonly used: number;
  readonly devices: readonly BtrfsDevice[];
  readonly warnings: string;
}

export interface BtrfsSpace {
  readonly profile: string;
  readonly total: number;
  readonly used: number;
}

/** How the space is used, by kind of block group. */
export interface BtrfsUsage {
  readonly data: BtrfsSpace;
  readonly system: BtrfsSpace;
  readonly metadata: BtrfsSpace;
  readonly globalreserve: BtrfsSpace;
}

/** One element of `btrfs.subvol_list`, without its quota. */
export interface BtrfsSubvolume {
  readonly ID: number;
  readonly Gen: number;
  readonly TopLevel: number;
  readonly Path: string;
}

/**
 * Reads `btrfs filesystem show --raw`. A block begins with `Label: 'name'  uuid: …`; labels may hold
 * blanks and quotes.
 */
export function parseFilesystems(text: string): BtrfsFilesystem[] {
  const found: { label: string; uuid: string; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const [head, , quoted, uuid = ""] = /^Label: (none|'(.*)')\s+uuid: (\S+)$/.exec(line) ?? [];
    if (head !== undefined) found.push({ label: quoted ?? "none", uuid, lines: [] });
    else found.at(-1)?.lines.push(line.trim());
  }
  return found.map(({ label, uuid, lines }) => {
    const [, count = "0", used = "0"] =
      firstMatch(lines, /^Total devices (\d+) FS bytes used (\d+)$/) ?? [];
    return {
      label,
      uuid,
      total_devices: Number(count),
      used: Number(used),
      devices: lines.flatMap(parseDevice),
      warnings: lines.filter((line) => /^(\*\*\*|warning)/i.test(line)).join("\n"),
    };
  });
}

/** `devid    1 size 104857600 used 92274688 path /dev/sdb`, at a missing one `path <missing disk> MISSING`. */
function parseDevice(line: string): BtrfsDevice[] {
  const [, id, size, used, rest = ""] =
    /^devid\s+(\d+) size (\d+) used (\d+) path ?(.*)$/.exec(line) ?? [];
  if (id === undefined) return [];
  const isMissing = /(^|\s)MISSING$/.test(rest) || rest === "" || rest === "missing";
  const path = rest.replace(/\s*MISSING$/, "").replace(/^(<missing disk>|missing)$/, "");
  const device = { dev_id: Number(id), size: Number(size), used: Number(used), path };
  return [isMissing ? { missing: true, ...device } : device];
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  return undefined;
}

const NO_SPACE: BtrfsSpace = { profile: "", total: 0, used: 0 };

/**
 * Reads `btrfs filesystem df --raw`: `Data, single: total=8388608, used=0`. While a file system is
 * converted a kind has several lines: they are added up under the profile of the first.
 */
export function parseUsage(text: string): BtrfsUsage {
  const usage = { data: NO_SPACE, system: NO_SPACE, metadata: NO_SPACE, globalreserve: NO_SPACE };
  for (const line of text.split("\n")) {
    const [, kinds, profile = "", total, used] =
      /^([\w+]+), (\S+): total=(\d+), used=(\d+)$/.exec(line.trim()) ?? [];
    for (const kind of kinds?.toLowerCase().split("+") ?? []) {
      if (!Object.hasOwn(usage, kind)) continue;
      const name = kind as keyof BtrfsUsage;
      const sum = usage[name];
      usage[name] = {
        profile: sum.profile === "" ? profile : sum.profile,
        total: sum.total + Number(total),
        used: sum.used + Number(used),
      };
    }
  }
  return usage;
}

/** Reads `btrfs subvolume list -o`: `ID 256 gen 8 top level 5 path sub/volume`. */
export function parseSubvolumes(text: string): BtrfsSubvolume[] {
  return text.split("\n").flatMap((line) => {
    const [, id, generation, top, path = ""] =
      /^ID (\d+) gen (\d+) top level (\d+) path (.*)$/.exec(line) ?? [];
    if (id === undefined) return [];
    return [{ ID: Number(id), Gen: Number(generation), TopLevel: Number(top), Path: path }];
  });
}

/**
 * Reads `btrfs qgroup show --raw -r`: id, bytes referred to, bytes of its own, limit of the first.
 *
 * @returns Limits in bytes by subvolume.
 */
export function parseQuotas(text: string): Map<number, number> {
  const limits = new Map<number, number>();
  for (const line of text.split("\n")) {
    const [, id, limit] = /^0\/(\d+)\s+\d+\s+\d+\s+(\d+)(\s|$)/.exec(line.trim()) ?? [];
    if (id !== undefined) limits.set(Number(id), Number(limit));
  }
  return limits;
}
