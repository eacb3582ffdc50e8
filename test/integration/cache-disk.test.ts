import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { prepareCacheDisk } from "../../src/storage/cache-disk.ts";
import { DiskLab, missingForDisks } from "./support/loop-disk.ts";

const missing = missingForDisks();
if (missing !== undefined) console.log(`cache disk is skipped: ${missing}`);

const SIZE_MIB = 1024;
const MIB = 1024 * 1024;

describe.skipIf(missing !== undefined)("cache disk", () => {
  let lab: DiskLab;
  beforeEach(() => {
    lab = new DiskLab();
  });
  afterEach(() => lab.close());

  const prepare = (device: string, mountpoint = lab.mountpoint()) =>
    prepareCacheDisk({ config: { prepare: true, device }, mountpoint });
  const mounted = (disk: string) => lab.run("lsblk", "-no", "MOUNTPOINT", disk).trim();

  test("an empty disk is prepared, and found again without being asked for", async () => {
    const disk = lab.disk(SIZE_MIB);
    const mountpoint = lab.mountpoint();
    const never = { prepare: false, device: disk };
    expect(await prepareCacheDisk({ config: never, mountpoint })).toMatch(/none may be prepared/);
    expect(lab.run("wipefs", disk)).toBe("");
    expect(await prepare(disk, mountpoint)).toMatch(/was empty, prepared/);
    expect(lab.run("blkid", "-p", "-s", "LABEL", "-o", "value", disk)).toBe("sp_zos-cache\n");
    const [mount] = JSON.parse(lab.run("findmnt", "-J", mountpoint)).filesystems;
    expect(mount).toMatchObject({ source: disk, fstype: "btrfs" });
    expect(mount.options).toMatch(/^rw,nosuid,nodev,noatime/);
    lab.run("touch", `${mountpoint}/kept`);
    expect(await prepare(disk, mountpoint)).toMatch(/mounted on .* already/);
    lab.run("umount", mountpoint);
    const none = { prepare: false, device: "" };
    expect(await prepareCacheDisk({ config: none, mountpoint })).toMatch(/has the label/);
    expect(lab.run("ls", mountpoint)).toBe("kept\n");
  });

  /** Writes bytes as a program would that is not installed here. */
  const write = (disk: string, offset: number, bytes: string) => {
    const file = openSync(disk, "r+");
    writeSync(file, Buffer.from(bytes, "latin1"), 0, bytes.length, offset);
    closeSync(file);
  };
  const end = SIZE_MIB * MIB;

  test.each<[string, (disk: string) => void]>([
    ["a GPT", (disk) => lab.run("parted", "-s", disk, "mktable", "gpt")],
    ["an MBR", (disk) => lab.run("parted", "-s", disk, "mktable", "msdos")],
    ["the table of an Amiga", (disk) => lab.run("parted", "-s", disk, "mktable", "amiga")],
    [
      "a partition",
      (disk) => lab.run("parted", "-s", disk, "mktable", "gpt", "mkpart", "a", "1MiB", "9MiB"),
    ],
    ["ext4", (disk) => lab.run("mkfs.ext4", "-q", disk)],
    ["another btrfs", (disk) => lab.run("mkfs.btrfs", "-q", "-L", "mine", disk)],
    ["swap", (disk) => lab.run("mkswap", disk)],
    ["LUKS", (disk) => write(disk, 0, "LUKS\xba\xbe\x00\x01")],
    ["LVM", (disk) => write(disk, 512, `LABELONE${"\x01".padEnd(16, "\0")}LVM2 001`)],
    ["one member of an md, at the end", (disk) => lab.run("sh", "-c", MD_09, disk, String(end))],
    [
      "a GPT whose first table was wiped",
      (disk) => {
        lab.run("parted", "-s", disk, "mktable", "gpt");
        lab.run(
          "dd",
          "if=/dev/zero",
          `of=${disk}`,
          "bs=1M",
          "count=1",
          "conv=notrunc",
          "status=none",
        );
      },
    ],
  ])("a disk with %s is never touched", async (_what, fill) => {
    const disk = lab.disk(SIZE_MIB);
    fill(disk);
    const before = fingerprint(disk);
    await expect(prepare(disk)).rejects.toThrow(/as cache: (\w+ sees|its end holds)/);
    expect(fingerprint(disk)).toBe(before);
    expect(mounted(disk)).toBe("");
  });

  test("a disk that is protected, in use, small, a partition or not there is refused", async () => {
    const disk = lab.disk(SIZE_MIB);
    lab.run("blockdev", "--setro", disk);
    await expect(prepare(disk)).rejects.toThrow(/protected/);
    lab.run("blockdev", "--setrw", disk);
    const loop = lab.run("losetup", "-f", "--show", disk).trim();
    await expect(prepare(disk)).rejects.toThrow(/is behind loop/);
    lab.run("losetup", "-d", loop);
    await expect(prepare(lab.disk(SIZE_MIB - 1))).rejects.toThrow(/smaller than 1 GiB/);
    await expect(prepare("/dev/none")).rejects.toThrow(/is not there/);
    await expect(prepare("/dev/null")).rejects.toThrow(/no block device/);
    lab.run("parted", "-s", disk, "mktable", "gpt", "mkpart", "a", "1MiB", "100%");
    await expect(prepare(`${disk}p1`)).rejects.toThrow(/is a partition/);
  });
});

/** Superblock 0.90 of md: 64 KiB aligned, magic and version, as far as it is looked at. */
const MD_09 = String.raw`
printf '\374\116\053\251\0\0\0\0\132\0\0\0' |
  dd of="$0" bs=1 seek=$(( ($1 & ~65535) - 65536 )) conv=notrunc status=none`;

/** First and last 2 MiB: what a program that makes a file system writes to. */
function fingerprint(disk: string): string {
  const file = openSync(disk, "r");
  const hash = createHash("sha256");
  for (const offset of [0, (SIZE_MIB - 2) * MIB]) {
    const part = Buffer.alloc(2 * MIB);
    readSync(file, part, 0, part.length, offset);
    hash.update(part);
  }
  closeSync(file);
  return hash.digest("hex");
}
