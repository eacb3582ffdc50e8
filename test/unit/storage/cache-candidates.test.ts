import { expect, test } from "vitest";
import { cacheCandidates } from "../../../src/storage/cache-disk.ts";
import type { DeviceRow } from "../../../src/storage/lsblk.ts";

const GIB = 1024 ** 3;
const EMPTY = {
  ...{ kname: "sda", type: "disk", ro: "0", rm: "0", tran: "sata", fstype: null, label: null },
  ...{ mountpoint: null, size: String(GIB) },
};
const disk = (changes: object): DeviceRow => ({ ...EMPTY, ...changes });

test("the largest disk comes first, and names are those of the kernel", () => {
  const rows = [
    disk({}),
    disk({ kname: "cciss!c0d0", size: String(3 * GIB) }),
    disk({ kname: "sdb", size: String(2 * GIB) }),
  ];
  expect(cacheCandidates(rows)).toEqual(["/dev/cciss/c0d0", "/dev/sdb", "/dev/sda"]);
});

test.each([
  ["no disk", { type: "loop" }],
  ["a partition", { type: "part" }],
  ["read-only", { ro: "1" }],
  ["removable", { rm: "1" }],
  ["on USB", { tran: "usb" }],
  ["memory", { kname: "zram0" }],
  ["on the network", { kname: "nbd0" }],
  ["divided", { children: [disk({ kname: "sda1", type: "part" })] }],
  ["in use as a whole", { mountpoint: "/data" }],
  ["formatted", { fstype: "ext4" }],
  ["small", { size: String(GIB - 1) }],
  ["of no size", { size: "" }],
])("a disk that is %s is left out", (_why, changes) => {
  expect(cacheCandidates([disk({})])).toEqual(["/dev/sda"]);
  expect(cacheCandidates([disk(changes)])).toEqual([]);
});
