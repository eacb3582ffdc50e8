import { describe, expect, test } from "vitest";
import {
  parseFilesystems,
  parseQuotas,
  parseSubvolumes,
  parseUsage,
} from "../../../src/storage/btrfs-parse.ts";
import { parseDevices } from "../../../src/storage/lsblk.ts";
import { groupMounts } from "../../../src/storage/mount-table.ts";
import { parsePartitionTable } from "../../../src/storage/partition-table.ts";
import { parseProbe } from "../../../src/storage/probe.ts";
import { medianMicroseconds } from "../../../src/storage/seek-time.ts";
import { parseHealth, parseIdentity } from "../../../src/storage/smart.ts";
import { parseDriveState } from "../../../src/storage/standby.ts";

describe("parted", () => {
  test("gives kind, block size and free areas", () => {
    const text = [
      "BYT;",
      "/dev/loop0:209715200B:loopback:512:4096:gpt:Loopback device:;",
      "1:17408B:1048575B:1031168B:free;",
      "1:1048576B:104857599B:103809024B:ext4:free:;",
      "1:104857600B:209698303B:104840704B:free;",
      "",
    ].join("\n");
    expect(parsePartitionTable(text)).toEqual({
      kind: "gpt",
      blockSize: 512,
      free: [
        { start: 17408, end: 1048575, size: 1031168 },
        { start: 104857600, end: 209698303, size: 104840704 },
      ],
    });
  });

  test.each([
    ["/dev/a:b:1000B:scsi:4096:4096:msdos:A B:;", "msdos", 4096],
    ["/dev/sda:1000B:scsi:512:512:unknown:A B:;", "", 512],
  ])("reads %j", (record, kind, blockSize) => {
    expect(parsePartitionTable(`BYT;\n${record}\n`)).toEqual({ kind, blockSize, free: [] });
  });

  test.each(["", "BYT;", "Error: no such device\n"])("sees no disk in %j", (text) => {
    expect(parsePartitionTable(text)).toBeUndefined();
  });
});

describe("lsblk", () => {
  test("numbers, booleans and texts of any release become texts", () => {
    const device = {
      ...{ name: "sda", ro: false, rm: "1", ra: 128, size: 1000, model: null, label: null },
      children: [{ name: "sda1", size: "10", fstype: "ext4" }],
    };
    const [row] = parseDevices(JSON.stringify({ blockdevices: [device] }));
    expect(row).toMatchObject({
      name: "sda",
      ro: "0",
      rm: "1",
      ra: "128",
      size: "1000",
      model: "",
      label: null,
    });
    expect(row?.children).toMatchObject([{ name: "sda1", size: "10", fstype: "ext4", tran: "" }]);
    expect(row?.children?.[0]).not.toHaveProperty("children");
  });

  test("no output is no device, and no JSON is an error", () => {
    expect(parseDevices("")).toEqual([]);
    expect(parseDevices("{}")).toEqual([]);
    expect(() => parseDevices("lsblk: failed")).toThrow(/no JSON seen/);
  });
});

test("blkid: contents by device, without the backslashes before special characters", () => {
  const text = [
    "DEVNAME=/dev/sda1",
    "LABEL=two\\ words\\=\\\\",
    "TYPE=ext4",
    "USAGE=filesystem",
    "PART_ENTRY_UUID=d7cf5092",
    "",
    "DEVNAME=/dev/sdb",
    "PTTYPE=gpt",
  ].join("\n");
  expect([...parseProbe(text)]).toEqual([
    ["/dev/sda1", { label: "two words=\\", fstype: "ext4", partuuid: "d7cf5092" }],
    ["/dev/sdb", {}],
  ]);
  expect(parseProbe("TYPE=ext4").size).toBe(0);
});

describe("btrfs", () => {
  test("file systems with labels of any form and devices that are missing", () => {
    const text = [
      "Label: none  uuid: aaaa",
      "\tTotal devices 1 FS bytes used 147456",
      "\tdevid    1 size 104857600 used 92274688 path /dev/sdb",
      "",
      "Label: 'it's  my uuid: x'  uuid: bbbb",
      "\tTotal devices 3 FS bytes used 5",
      "\tdevid    1 size 10 used 7 path /dev/a b",
      "\tdevid    2 size 0 used 0 path <missing disk> MISSING",
      "\tdevid    3 size 0 used 0 path /dev/sdd MISSING",
      "\t*** Some devices missing",
      "",
    ].join("\n");
    expect(parseFilesystems(text)).toEqual([
      {
        ...{ label: "none", uuid: "aaaa", total_devices: 1, used: 147456, warnings: "" },
        devices: [{ dev_id: 1, size: 104857600, used: 92274688, path: "/dev/sdb" }],
      },
      {
        ...{ label: "it's  my uuid: x", uuid: "bbbb", total_devices: 3, used: 5 },
        devices: [
          { dev_id: 1, size: 10, used: 7, path: "/dev/a b" },
          { missing: true, dev_id: 2, size: 0, used: 0, path: "" },
          { missing: true, dev_id: 3, size: 0, used: 0, path: "/dev/sdd" },
        ],
        warnings: "*** Some devices missing",
      },
    ]);
    expect(parseFilesystems("")).toEqual([]);
  });

  test("kinds of space, also while they are converted and when they are one", () => {
    const usage = parseUsage(
      "Data, single: total=10, used=1\nData, RAID1: total=20, used=2\nSystem, DUP: total=3, used=0\n" +
        "Metadata, DUP: total=4, used=1\nGlobalReserve, single: total=5, used=0\nOther, x: total=1, used=1\n",
    );
    expect(usage).toEqual({
      data: { profile: "single", total: 30, used: 3 },
      system: { profile: "DUP", total: 3, used: 0 },
      metadata: { profile: "DUP", total: 4, used: 1 },
      globalreserve: { profile: "single", total: 5, used: 0 },
    });
    const mixed = parseUsage("Data+Metadata, single: total=10, used=1\n");
    expect([mixed.data, mixed.metadata]).toEqual(
      Array(2).fill({ profile: "single", total: 10, used: 1 }),
    );
  });

  test("subvolumes and their limits", () => {
    expect(parseSubvolumes("ID 256 gen 8 top level 5 path a b/c path d\nERROR\n")).toEqual([
      { ID: 256, Gen: 8, TopLevel: 5, Path: "a b/c path d" },
    ]);
    const quotas =
      "Qgroupid    Referenced    Exclusive Max referenced   Path \n--------\n" +
      "0/5              16384        16384           none   <toplevel>\n" +
      "0/256            16384        16384       10485760   one\n1/0  1 1 99\n";
    expect([...parseQuotas(quotas)]).toEqual([[256, 10485760]]);
  });
});

test("mounts are grouped, flags have the value 1", () => {
  expect(
    groupMounts(
      "/dev/sda1 /a\\040b ext4 rw,errors=a=b 0 0\n/dev/sda1 /c ext4 ro 0 0\nproc /proc proc rw 0 0\n",
    ),
  ).toEqual({
    "/dev/sda1": [
      { mountpoint: "/a b", filesystem: "ext4", options: { rw: "1", errors: "a=b" } },
      { mountpoint: "/c", filesystem: "ext4", options: { ro: "1" } },
    ],
    proc: [{ mountpoint: "/proc", filesystem: "proc", options: { rw: "1" } }],
  });
});

describe("drives", () => {
  const ATA = {
    device: { name: "/dev/sda", info_name: "/dev/sda [SAT]" },
    model_name: "ST1000",
    serial_number: "Z1",
    wwn: { naa: 5, oui: 3152, id: 2861011 },
    firmware_version: "CC1",
    user_capacity: { blocks: 1, bytes: 1000204886016 },
    logical_block_size: 512,
    rotation_rate: 7200,
    ata_version: { string: "ACS-2" },
    sata_version: { string: "SATA 3.1" },
    smart_support: { available: true, enabled: false },
  };

  test("an ATA drive says all of it", () => {
    expect(parseIdentity(JSON.stringify(ATA))).toEqual({
      model: "ST1000",
      serial_number: "Z1",
      device_id: "5 000c50 0002ba7d3",
      firmware_version: "CC1",
      user_capacity: 1000204886016,
      sector_size: 512,
      rotation_rate: "7200 rpm",
      device: "/dev/sda [SAT]",
      ata_version: "ACS-2",
      sata_version: "SATA 3.1",
      smart_support_available: true,
      smart_support_enabled: false,
    });
  });

  test("what a drive does not have is empty", () => {
    expect(parseIdentity('{"scsi_vendor":"A","scsi_product":"B","rotation_rate":0}')).toMatchObject(
      {
        ...{ model: "A B", serial_number: "", device_id: "", user_capacity: 0 },
        ...{ rotation_rate: "Solid State Device", smart_support_available: false },
      },
    );
  });

  test("a size that is no number, and no JSON at all, are errors", () => {
    expect(() => parseIdentity('{"user_capacity":{"bytes":"1,000"}}')).toThrow(/expected integers/);
    expect(() => parseIdentity("smartctl 7.4")).toThrow(/no JSON seen/);
  });

  test("the verdict is there or it is an error", () => {
    expect(parseHealth('{"smart_status":{"passed":true}}')).toBe(true);
    expect(parseHealth('{"smart_status":{"passed":false}}')).toBe(false);
    expect(() => parseHealth("{}")).toThrow(/no verdict/);
  });

  test.each([
    ["standby", true],
    ["sleeping", true],
    ["active/idle", false],
    ["idle_a", false],
    ["NVcache_spindown", false],
  ])("a drive that is %s", (state, expected) => {
    expect(parseDriveState(`\n/dev/sda:\n drive state is:  ${state}\n`)).toBe(expected);
  });

  test.each(["unknown", ""])("a drive that says %j says nothing", (state) => {
    expect(() => parseDriveState(` drive state is:  ${state}\n`)).toThrow(/Cannot tell/);
  });

  test("the time of a read is the median", () => {
    expect(medianMicroseconds([9_000_000, 1000, 3000, 2000, 5_000_000])).toBe(3);
  });
});
